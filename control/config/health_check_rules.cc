// SPDX-License-Identifier: BSD-3-Clause
// Health checks in a configuration.
#include "control/config/health_check_rules.h"

#include <fmt/format.h>

#include <set>

#include "control/common/text.h"
#include "control/config/route_lookup.h"
#include "control/config/rules.h"

namespace sluice::control {
namespace {

class HealthCheckRules : private Rules {
 public:
  HealthCheckRules(const Config& config, Reader& reader) : Rules(config, reader), routes_(config) {}
  void check();

 private:
  void check_keys(const std::string& path, const HealthCheckConfig& check);
  void check_command(const std::string& path, const HealthCheckConfig& check);
  void check_datagram(const std::string& path, const HealthCheckConfig& check);
  bool lacks(const std::string& path, const std::string& value) const;
  void check_ways_out(const std::string& path, const ServiceConfig& service);

  const RouteLookup routes_;
};

// A key that its check would not look at is a mistake, not a remark.
void HealthCheckRules::check_keys(const std::string& path, const HealthCheckConfig& check) {
  const bool tls = check.type == CheckType::kHttps;
  const bool http = tls || check.type == CheckType::kHttp;
  const bool command = check.type == CheckType::kCommand;
  const bool udp = check.type == CheckType::kUdp;
  const bool dns = check.type == CheckType::kDns;
  const struct {
    const char* key;
    bool fits;
    const char* types;
  } keys[] = {{"method", http, "http or https"},
              {"path", http, "http or https"},
              {"host", http, "http or https"},
              {"expect_status", http, "http or https"},
              {"body_matches", http, "http or https"},
              {"tls_verify", tls, "https"},
              {"tls_name", tls, "https"},
              {"tls_ca", tls, "https"},
              {"command", command, "command"},
              {"payload", udp, "udp"},
              {"payload_hex", udp, "udp"},
              {"expect", udp, "udp"},
              {"expect_hex", udp, "udp"},
              {"dns_name", dns, "dns"},
              {"dns_type", dns, "dns"},
              {"dns_rcode", dns, "dns"},
              {"dns_expect", dns, "dns"}};
  for (const auto& [key, fits, types] : keys) {
    if (fits || !was_read(path + "." + key)) continue;
    problem(path + "." + key, fmt::format("a key of type {}", types),
            fmt::format("no such key with type \"{}\"", to_string(check.type)));
  }
  if (command) check_command(path, check);
  if (udp) check_datagram(path, check);
  if (dns && lacks(path + ".dns_name", check.dns_name)) {
    problem(path, "type \"dns\" without a dns_name", "dns_name = \"NAME\"");
  }
  if (check.method == HttpMethod::kHead && was_read(path + ".body_matches")) {
    problem(path + ".body_matches", "a pattern for a body", "no such key with method \"HEAD\"");
  }
  if (tls && !check.tls_verify && was_read(path + ".tls_ca")) {
    problem(path + ".tls_ca", "a file to verify by", "tls_verify = true beside it");
  }
}

// Whether a text was not given; one that was given and refused has been reported.
bool HealthCheckRules::lacks(const std::string& path, const std::string& value) const {
  return value.empty() && !reader_.places.failed(path);
}

void HealthCheckRules::check_command(const std::string& path, const HealthCheckConfig& check) {
  if (check.command.empty()) {
    if (reader_.places.failed(path + ".command")) return;
    problem(path, "type \"command\" without a command", "command = [\"/path/of/it\", ...]");
  } else if (!check.command.front().starts_with('/') && was_read(path + ".command[0]")) {
    problem(path + ".command", in_quotes(check.command.front()),
            "a program's absolute path as the first word");
  }
}

void HealthCheckRules::check_datagram(const std::string& path, const HealthCheckConfig& check) {
  if (lacks(path + ".payload", check.payload) && lacks(path + ".payload_hex", check.payload_hex)) {
    problem(path, "type \"udp\" without a payload",
            "payload = \"TEXT\" or payload_hex = \"BYTES\": an empty datagram says nothing");
  }
  for (const std::string key : {"payload", "expect"}) {
    if (!was_read(path + "." + key) || !was_read(path + "." + key + "_hex")) continue;
    problem(path + "." + key + "_hex", fmt::format("{}_hex beside {}", key, key), "one of the two");
  }
}

// What a check sends leaves through the tap of the interface towards the backend.
void HealthCheckRules::check_ways_out(const std::string& path, const ServiceConfig& service) {
  if (!topology_was_read() || any_failed("interface", config_.interfaces.size(), "kernel")) return;
  if (service.health_check->type == CheckType::kCommand) return;
  std::set<size_t> named;
  each(path + ".backend", service.backends, [&](const std::string& at, const BackendConfig& item) {
    const auto way = routes_.find(item.address.ip);
    if (!was_read(at + ".address") || !way) return;
    const InterfaceConfig& interface = config_.interfaces[way->interface];
    if (!interface.kernel.empty() || !named.insert(way->interface).second) return;
    problem(
        path + ".health_check.type",
        fmt::format("\"{}\" for {}, which is behind interface {}",
                    to_string(service.health_check->type), to_string(item.address), interface.name),
        fmt::format("kernel = \"NAME\" in interface {}: checks leave through its tap",
                    interface.name));
  });
}

void HealthCheckRules::check() {
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    const std::string at = path + ".health_check";
    if (!item.health_check || !was_read(at + ".type")) return;
    check_keys(at, *item.health_check);
    check_ways_out(path, item);
    if (item.health_check->timeout > item.health_check->interval) {
      const std::string key = at + (was_read(at + ".timeout_ms") ? ".timeout_ms" : ".interval_ms");
      problem(key, fmt::format("a timeout of {} ms", item.health_check->timeout.count()),
              fmt::format("at most interval_ms ({})", item.health_check->interval.count()));
    }
  });
}

}  // namespace

void check_health_checks(const Config& config, Reader& reader) {
  HealthCheckRules(config, reader).check();
}

}  // namespace sluice::control
