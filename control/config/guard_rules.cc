// SPDX-License-Identifier: BSD-3-Clause
// A key that nothing would look at is a mistake, not a remark.
#include "control/config/guard_rules.h"

#include <algorithm>

#include "control/config/rules.h"

namespace sluice::control {
namespace {

class GuardRules : private Rules {
 public:
  GuardRules(const Config& config, Reader& reader) : Rules(config, reader) {}
  void check();

 private:
  void clients(const std::string& path, const GuardConfig& guard);
  void backends(const std::string& path, const ServiceConfig& service);
  void cookies(const std::string& path, const ServiceConfig& service);
};

void GuardRules::cookies(const std::string& path, const ServiceConfig& service) {
  const std::string key = path + ".guard.syn_cookies";
  if (service.protocol == net::Protocol::kTcp || !was_read(key)) return;
  if (reader_.places.failed(path + ".protocol")) return;
  problem(key, "a key of tcp services", "no such key with protocol \"udp\"");
}

void GuardRules::clients(const std::string& path, const GuardConfig& guard) {
  for (const char* limit : {".client_connections", ".client_new_per_second"}) {
    if (!was_read(path + limit) || config_.limits.clients_per_worker > 0) continue;
    problem(path + limit, "a limit of clients", "none where limits.clients_per_worker is 0");
  }
  if (guard.limits_clients() || reader_.places.failed(path + ".client_connections") ||
      reader_.places.failed(path + ".client_new_per_second")) {
    return;
  }
  for (const char* prefix : {".client_prefix_v4", ".client_prefix_v6"}) {
    if (!was_read(path + prefix)) continue;
    problem(path + prefix, "a prefix",
            "client_connections or client_new_per_second, which it is for");
  }
}

void GuardRules::backends(const std::string& path, const ServiceConfig& service) {
  const std::string key = path + ".guard.backends_full";
  if (!was_read(key)) return;
  for (size_t i = 0; i < service.backends.size(); ++i) {
    const std::string at = fmt::format("{}.backend[{}].max_connections", path, i);
    if (service.backends[i].max_connections > 0 || reader_.places.failed(at)) return;
  }
  problem(key, "what happens when backends are full",
          "max_connections for a backend, which it is for");
}

void GuardRules::check() {
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    clients(path + ".guard", item.guard);
    backends(path, item);
    cookies(path, item);
  });
}

}  // namespace

void check_guards(const Config& config, Reader& reader) {
  GuardRules(config, reader).check();
}

}  // namespace sluice::control
