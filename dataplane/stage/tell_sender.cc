// SPDX-License-Identifier: BSD-3-Clause
// What was sent, as far as it can be had back.
#include "dataplane/stage/tell_sender.h"

#include "dataplane/net/rewrite.h"
#include "dataplane/stage/icmp_error.h"
#include "dataplane/stage/splice_numbers.h"

namespace sluice {
namespace {

/// How much of the packet is surely right. The timestamps before they were on the balancer's clock,
/// and a SYN's MSS before it was clamped, cannot be had back, nor can the checksum over them.
uint16_t sure_length(const Flow& flow, const net::Packet& packet) {
  constexpr uint16_t kPortsAndSequence = 8;
  const bool options_lost = packet.kind == net::Packet::Kind::kTcp &&
                            (flow.rewrite_timestamps || flow.half_open.extras != 0 ||
                             packet.tcp->has(net::tcp_flag::kSyn));
  return options_lost ? static_cast<uint16_t>(packet.ip_header_length() + kPortsAndSequence)
                      : packet.ip_length();
}

}  // namespace

void tell_sender(Core& core, const Flow& flow, Segment& segment, Direction direction,
                 uint16_t mtu) {
  const net::Packet& packet = segment.packet;
  if (packet.kind == net::Packet::Kind::kTcp) {
    if (direction == Direction::kInbound) {
      net::adjust_inbound(*packet.tcp, flow.adjust.reversed());
    } else {
      net::adjust_outbound(*packet.tcp, flow.adjust.reversed());
      net::adjust_inbound(*packet.tcp, {0 - splice_offset(core, flow), 0});
    }
  }
  send_error(core, packet,
             {OwnError::Kind::kTooBig, packet.destination_ip(), sure_length(flow, packet), mtu});
}

}  // namespace sluice
