// SPDX-License-Identifier: BSD-3-Clause
// A key for each member.
#include "control/daemon/api/packet_rows.h"

#include <string>
#include <utility>
#include <vector>

#include "control/common/text.h"
#include "dataplane/net/headers.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string flags_text(uint8_t flags) {
  constexpr std::pair<uint8_t, const char*> kNames[] = {{net::tcp_flag::kSyn, "SYN"},
                                                        {net::tcp_flag::kFin, "FIN"},
                                                        {net::tcp_flag::kRst, "RST"},
                                                        {net::tcp_flag::kPsh, "PSH"},
                                                        {net::tcp_flag::kAck, "ACK"}};
  std::vector<std::string> set;
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) != 0) set.emplace_back(name);
  }
  return join(set, ",");
}

json datagram_row(const PacketView& segment) {
  return {{"source", net::to_string(segment.source)},
          {"destination", net::to_string(segment.destination)},
          {"payload_bytes", segment.payload_bytes},
          {"ttl", segment.ttl}};
}

json segment_row(const PacketView& segment) {
  json row = {{"source", net::to_string(segment.source)},
              {"destination", net::to_string(segment.destination)},
              {"flags", flags_text(segment.flags)},
              {"seq", segment.sequence},
              {"ack", segment.acknowledgement},
              {"window", segment.window},
              {"payload_bytes", segment.payload_bytes},
              {"ttl", segment.ttl}};
  if (segment.timestamps) {
    row["tsval"] = segment.tsval;
    row["tsecr"] = segment.tsecr;
  }
  return row;
}

}  // namespace

json packet_row(const PacketView& packet, net::Protocol protocol) {
  return protocol == net::Protocol::kUdp ? datagram_row(packet) : segment_row(packet);
}

json flow_row(const FlowView& flow) {
  return {{"local", net::to_string(flow.local)},
          {"backend", net::to_string(flow.backend)},
          {"state", name_of(flow.state)},
          {"port", name_of(flow.reuse)},
          {"ts_offset", static_cast<int32_t>(flow.adjust.timestamp)},
          {"seq_offset", static_cast<int32_t>(flow.adjust.sequence)},
          {"rewritten", flow.rewritten},
          {"heals", flow.heals}};
}

}  // namespace sluice::control
