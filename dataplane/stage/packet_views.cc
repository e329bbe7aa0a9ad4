// SPDX-License-Identifier: BSD-3-Clause
// Field by field.
#include "dataplane/stage/packet_views.h"

#include "dataplane/net/tcp_options.h"

namespace sluice {

PacketView view_of(const Segment& segment) {
  PacketView view{};
  view.source = segment.source();
  view.destination = segment.destination();
  view.ttl = segment.packet.hop_limit();
  if (segment.packet.kind == net::Packet::Kind::kUdp) {
    view.payload_bytes = segment.packet.udp_payload_length();
    return view;
  }
  const net::TcpHeader& tcp = *segment.packet.tcp;
  view.sequence = tcp.sequence.host();
  view.acknowledgement = tcp.acknowledgement.host();
  view.window = tcp.window.host();
  view.payload_bytes = segment.packet.payload_length();
  view.flags = tcp.flags;
  if (const uint8_t at = net::find_timestamps(tcp)) {
    view.timestamps = true;
    view.tsval = net::tcp_word_at(tcp, at).host();
    view.tsecr = net::tcp_word_at(tcp, static_cast<uint8_t>(at + 4)).host();
  }
  return view;
}

FlowView view_of(const Core& core, const Flow& flow) {
  return {core.local(flow), core.backend_address(flow), flow.adjust,       flow.state(),
          flow.reuse,       flow.rewrite_timestamps,    flow.heal_attempts};
}

}  // namespace sluice
