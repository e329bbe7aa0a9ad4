// SPDX-License-Identifier: BSD-3-Clause
// Keys that TCP services have and UDP services have not, and the other way round.
#include "control/config/protocol_rules.h"

#include <fmt/format.h>

#include <utility>

#include "control/config/rules.h"

namespace sluice::control {
namespace {

using net::Protocol;

constexpr std::pair<const char*, Protocol> kKeys[] = {{"tcp_timestamps", Protocol::kTcp},
                                                      {"mss_clamp", Protocol::kTcp},
                                                      {"toa", Protocol::kTcp},
                                                      {"reset_on_timeout", Protocol::kTcp},
                                                      {"udp_idle_seconds", Protocol::kUdp},
                                                      {"udp_one_shot", Protocol::kUdp},
                                                      {"udp_refresh", Protocol::kUdp},
                                                      {"quic", Protocol::kUdp},
                                                      {"quic_config_id", Protocol::kUdp}};

class ProtocolRules : private Rules {
 public:
  ProtocolRules(const Config& config, Reader& reader) : Rules(config, reader) {}
  void check();

 private:
  void proxy(const std::string& path, const ServiceConfig& service);
};

// Version 1 is a line of text, in front of a stream; it has no place for a name.
void ProtocolRules::proxy(const std::string& path, const ServiceConfig& service) {
  const std::string version = path + ".proxy_protocol", name = path + ".proxy_authority";
  if (reader_.places.failed(version)) return;
  if (service.protocol == Protocol::kUdp && service.proxy_protocol == ProxyProtocol::kV1) {
    problem(version, "\"v1\"", "\"v2\" with protocol \"udp\": version 1 knows TCP alone");
  }
  if (was_read(name) && service.proxy_protocol != ProxyProtocol::kV2) {
    problem(name, fmt::format("\"{}\"", service.proxy_authority),
            "proxy_protocol = \"v2\", which alone can carry it");
  }
}

// A key that its service would not look at is a mistake, not a remark.
void ProtocolRules::check() {
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    if (reader_.places.failed(path + ".protocol")) return;
    for (const auto& [key, protocol] : kKeys) {
      const std::string at = path + '.' + key;
      if (protocol == item.protocol || !was_read(at)) continue;
      problem(at, fmt::format("a key of {} services", to_string(protocol)),
              fmt::format("no such key with protocol \"{}\"", to_string(item.protocol)));
    }
    proxy(path, item);
  });
}

}  // namespace

void check_protocol_keys(const Config& config, Reader& reader) {
  ProtocolRules(config, reader).check();
}

}  // namespace sluice::control
