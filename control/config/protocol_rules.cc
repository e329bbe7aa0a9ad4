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
};

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
  });
}

}  // namespace

void check_protocol_keys(const Config& config, Reader& reader) {
  ProtocolRules(config, reader).check();
}

}  // namespace sluice::control
