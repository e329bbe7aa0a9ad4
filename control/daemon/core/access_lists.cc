// SPDX-License-Identifier: BSD-3-Clause
// From prefixes of both families to tables of each.
#include "control/daemon/core/access_lists.h"

#include <utility>

namespace sluice::control {
namespace {

void add(const std::vector<IpPrefix>& from, AccessList::Prefixes& to) {
  for (const IpPrefix& prefix : from) {
    if (prefix.address.is_v4()) {
      to.v4.push_back(prefix.v4());
    } else {
      to.v6.push_back(prefix.v6());
    }
  }
}

AccessList::Prefixes prefixes_of(const std::vector<IpPrefix>& own, const PrefixFile& file) {
  AccessList::Prefixes prefixes;
  add(own, prefixes);
  if (file.prefixes) add(*file.prefixes, prefixes);
  return prefixes;
}

AccessLists::List make(const AccessConfig& config) {
  if (config.empty()) return nullptr;
  return std::make_shared<const AccessList>(prefixes_of(config.allow, config.allow_file),
                                            prefixes_of(config.deny, config.deny_file),
                                            config.allows_some());
}

}  // namespace

void AccessLists::adopt(const Config& config) {
  if (all_.config != config.guard) all_ = {config.guard, make(config.guard)};
  Services next;
  for (const ServiceConfig& service : config.services) {
    const AccessConfig& access = service.guard.access;
    if (access.empty()) continue;
    const auto known = services_.find(service.name);
    const bool is_same = known != services_.end() && known->second.config == access;
    next[service.name] = is_same ? known->second : Entry{access, make(access)};
  }
  services_ = std::move(next);
}

AccessLists::List AccessLists::of(const ServiceConfig& service) const {
  const auto found = services_.find(service.name);
  return found == services_.end() ? nullptr : found->second.list;
}

}  // namespace sluice::control
