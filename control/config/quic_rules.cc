// SPDX-License-Identifier: BSD-3-Clause
// Every backend one server ID, all as long, no two the same.
#include "control/config/quic_rules.h"

#include <fmt/format.h>

#include <map>

#include "control/common/text.h"
#include "control/config/rules.h"

namespace sluice::control {
namespace {

class QuicRules : private Rules {
 public:
  QuicRules(const Config& config, Reader& reader) : Rules(config, reader) {}
  void check();

 private:
  void check_service(const std::string& path, const ServiceConfig& service);
  void refuse_ids(const std::string& path, const ServiceConfig& service);
};

void QuicRules::check() {
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& service) {
    if (reader_.places.failed(path + ".quic") || service.protocol != net::Protocol::kUdp) return;
    if (service.quic) return check_service(path, service);
    refuse_ids(path, service);
    const std::string config_id = path + ".quic_config_id";
    if (was_read(config_id)) problem(config_id, "no quic = true", "quic = true beside it");
  });
}

void QuicRules::refuse_ids(const std::string& path, const ServiceConfig& service) {
  each(path + ".backend", service.backends, [&](const std::string& at, const BackendConfig&) {
    const std::string key = at + ".quic_server_id";
    if (was_read(key)) problem(key, "a service without quic", "quic = true in its service");
  });
}

void QuicRules::check_service(const std::string& path, const ServiceConfig& service) {
  if (service.udp_one_shot) {
    problem(path + ".quic", "udp_one_shot beside quic", "one of the two: QUIC is no one question");
  }
  const size_t length = service.backends.empty() ? 0 : service.backends[0].quic_server_id.size();
  std::map<std::string, std::string> taken;  // by ID: whose it is
  each(path + ".backend", service.backends, [&](const std::string& at, const BackendConfig& item) {
    const std::string key = at + ".quic_server_id";
    if (reader_.places.failed(key)) return;
    const std::string& id = item.quic_server_id;
    if (id.empty()) {
      return problem(at, "no quic_server_id", "one, as its service has quic = true");
    }
    const auto [first, is_new] = taken.emplace(id, at);
    if (!is_new) return problem(key, "that of " + first->second, "an ID of its own");
    if (length == 0 || id.size() == length) return;
    problem(key, fmt::format("{} bytes", id.size()),
            fmt::format("{} bytes, as that of the first backend", length));
  });
}

}  // namespace

void check_quic(const Config& config, Reader& reader) {
  QuicRules(config, reader).check();
}

}  // namespace sluice::control
