// SPDX-License-Identifier: BSD-3-Clause
// The lists of a configuration as workers look sources up in them: made once for each
// configuration, since a list may have 100,000 prefixes and snapshots are made all the time.
#pragma once

#include <map>
#include <memory>

#include "control/config/config.h"
#include "dataplane/state/access_list.h"

namespace sluice::control {

class AccessLists {
 public:
  using List = std::shared_ptr<const AccessList>;

  // Lists that have not changed stay the same ones.
  void adopt(const Config& config);

  // nullptr where everybody may come.
  const List& of_all() const { return all_.list; }
  List of(const ServiceConfig& service) const;

 private:
  struct Entry {
    AccessConfig config;
    List list;
  };
  using Services = std::map<std::string, Entry>;  // by name

  Entry all_;
  Services services_;
};

}  // namespace sluice::control
