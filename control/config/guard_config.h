// SPDX-License-Identifier: BSD-3-Clause
// The configuration of guards: who may begin connections to a service, and how many.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/config/ip_address.h"
#include "dataplane/state/syn_cookie_mode.h"

namespace sluice::control {

// A file of prefixes, and what it said when it was read; shared, for it may be long.
struct PrefixFile {
  std::string path;  // empty: none
  std::shared_ptr<const std::vector<IpPrefix>> prefixes = nullptr;

  bool operator==(const PrefixFile& other) const {
    if (path != other.path || !prefixes != !other.prefixes) return false;
    return prefixes == other.prefixes || *prefixes == *other.prefixes;
  }
};

// Of [guard], which is for all services, and of each service's.
struct AccessConfig {
  std::vector<IpPrefix> allow;  // empty, and without a file: everybody
  std::vector<IpPrefix> deny;
  PrefixFile allow_file;
  PrefixFile deny_file;

  bool empty() const {
    return allow.empty() && deny.empty() && allow_file.path.empty() && deny_file.path.empty();
  }
  // Whoever is not on such a list may not then, though it be empty.
  bool allows_some() const { return !allow.empty() || !allow_file.path.empty(); }
  bool operator==(const AccessConfig&) const = default;
};

enum class BackendsFull : uint8_t { kRefuse, kWait };  // what a SYN gets then

// Of [service.guard]. 0: no limit.
struct GuardConfig {
  AccessConfig access;
  uint32_t max_connections = 0;
  uint32_t max_new_per_second = 0;
  uint32_t client_prefix_v4 = 32;
  uint32_t client_prefix_v6 = 64;
  uint32_t client_connections = 0;
  uint32_t client_new_per_second = 0;
  SynCookieMode syn_cookies = SynCookieMode::kNever;
  BackendsFull backends_full = BackendsFull::kRefuse;

  bool limits_clients() const { return client_connections != 0 || client_new_per_second != 0; }
  bool operator==(const GuardConfig&) const = default;
};

}  // namespace sluice::control
