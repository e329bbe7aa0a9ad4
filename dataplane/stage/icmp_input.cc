// SPDX-License-Identifier: BSD-3-Clause
// ICMP.
#include "dataplane/stage/icmp_input.h"

#include "dataplane/net/icmp.h"
#include "dataplane/net/packet_checksum.h"
#include "dataplane/net/serial.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/hop_limit.h"
#include "dataplane/stage/ownership.h"
#include "dataplane/stage/source_check.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

Verdict echo_input(Core& core, Segment& segment) {
  net::icmp_echo_answer(segment.packet);
  core.count(Event::echo_requests_answered);
  NextHop hop;
  return core.next_hops.try_send(*core.snapshot, segment.buffer, segment.packet.ip->destination,
                                 hop, core.now_ms);
}

/// Whether the sender of a quoted segment may have it in flight (RFC 5927, section 4.1): whoever
/// cannot tell is a stranger, and nothing that he says is believed.
bool is_in_flight(const TcpTrack& tcp, bool from_client, uint32_t sequence) {
  const bool unanswered = tcp.state() == FlowState::kSynSent;
  if (!from_client) {
    const uint32_t syn = tcp.state() == FlowState::kSynReceived ? 1 : 0;
    return !unanswered &&
           net::serial_within(sequence, tcp.client_expects() - syn, tcp.backend_snd_nxt());
  }
  if (unanswered) return sequence == tcp.backend_expects() - 1;
  return net::serial_within(sequence, tcp.backend_expects(), tcp.client_snd_nxt());
}

/// Whether an error may be about a packet that is on its way. UDP has no number that would tell.
bool is_believable(const Flow& flow, bool from_client, const net::Quoted& quoted) {
  return flow.is_udp() || is_in_flight(flow.tcp, from_client, quoted.tcp->sequence.host());
}

/// Says that the packet never gets there, not that it is too large.
bool refuses(const net::IcmpHeader& icmp) {
  return icmp.type != net::icmp_type::kUnreachable ||
         icmp.code != net::icmp_code::kFragmentationNeeded;
}

/// The backend's host itself says that nobody listens there (RFC 1122, section 3.2.2.1).
bool is_nobody_there(const net::Packet& packet, const net::Quoted& quoted) {
  const net::IcmpHeader& icmp = *packet.icmp;
  return packet.ip->source == quoted.destination.ip && icmp.type == net::icmp_type::kUnreachable &&
         (icmp.code == net::icmp_code::kPortUnreachable ||
          icmp.code == net::icmp_code::kProtocolUnreachable);
}

/// Whether an error about a client's packet ends the flow. One that is established is not ended by
/// what others say than its backend.
bool is_refusal(const Flow& flow, const net::Packet& packet, const net::Quoted& quoted) {
  switch (flow.state()) {
    case FlowState::kSynSent:
    case FlowState::kUdpUnanswered:
      return refuses(*packet.icmp);
    case FlowState::kUdpAnswered:
    case FlowState::kUdpEstablished:
      return is_nobody_there(packet, quoted);
    default:
      return false;
  }
}

/// Ends a UDP flow, or an unanswered handshake as a RST does. The backend never saw the SYN:
/// what it may hold of the tuple it still holds, so the port rests as an unanswered one's.
void end_refused(Core& core, uint32_t index) {
  Flow& flow = core.flows[index];
  core.backend(flow).refused.add();
  core.count(flow.is_udp() ? Event::udp_refused : Event::backend_refusals);
  end_flow(core, index, flow.is_udp() ? FlowEnd::unreachable : FlowEnd::refused);
}

/// An error goes to whoever sent the packet that it quotes (RFC 5508, section 4), seen from there.
Verdict error_input(Core& core, Segment& segment, uint16_t interface) {
  auto quoted = net::icmp_quoted(segment.packet);
  if (!quoted || quoted->source.ip != segment.packet.ip->destination) return DropReason::icmp_bad;
  if (segment.packet.hop_limit() <= 1) return hop_limit_expired(core, segment);
  const Snapshot& snapshot = *core.snapshot;
  const bool from_client = snapshot.v4.is_local(quoted->source.ip);
  // What a client sent has gone the backends' way: who speaks of it on another has not seen it.
  if (from_client && !snapshot.interfaces[interface].faces_backends) {
    return DropReason::no_flow_icmp;
  }
  const uint32_t other =
      from_client ? other_owner_of_port(core, quoted->protocol, quoted->source, quoted->destination)
                  : other_owner_of_client(core, quoted->destination, quoted->source);
  if (other != kNotElsewhere) return hand_off(core, other, segment, interface);
  const uint32_t index =
      from_client ? core.flow_of_backend(quoted->protocol, quoted->destination, quoted->source)
                  : core.flow_of_client(quoted->protocol, quoted->destination, quoted->source);
  if (index == FlowTable::kNone) {
    // Where the device spreads clients in a way of its own, anybody may have the flow.
    if (core.steering.kind() == SteeringKind::kRteFlow) hand_copies(core, segment, interface);
    return DropReason::no_flow_icmp;
  }
  Flow& flow = core.flows[index];
  if (!is_believable(flow, from_client, *quoted)) return DropReason::icmp_out_of_window;
  const bool refused = from_client && is_refusal(flow, segment.packet, *quoted);
  core.count(Event::icmp_errors_translated);
  if (from_client) {
    const net::Ipv4Endpoint client = core.client(flow).v4(), vip = core.vip(flow).v4();
    net::icmp_translate_error(segment.packet, *quoted, vip.ip, client.ip, client, vip,
                              0 - flow.adjust.sequence);
    const Verdict verdict =
        core.next_hops.try_send(snapshot, segment.buffer, client.ip, flow.to_client, core.now_ms);
    if (refused) end_refused(core, index);
    return verdict;
  }
  const net::Ipv4Endpoint backend = core.backend_address(flow).v4(), local = core.local(flow).v4();
  net::icmp_translate_error(segment.packet, *quoted, local.ip, backend.ip, backend, local, 0);
  return core.next_hops.try_send(snapshot, segment.buffer, backend.ip, core.backend(flow).next_hop,
                                 core.now_ms);
}

}  // namespace

Verdict icmp_input(Core& core, Segment& segment, uint16_t interface) {
  if (!core.snapshot->is_own(segment.packet.ip->destination, interface)) {
    return DropReason::ipv4_not_for_us;
  }
  const Verdict source = check_source(core, segment.packet.ip->source, interface);
  if (!source.passed()) return source;
  if (!net::icmp_checksum_ok(segment.packet)) return DropReason::icmp_bad;
  const net::IcmpHeader& icmp = *segment.packet.icmp;
  const bool kernels = is_kernels(core, segment.packet.ip->destination, interface);
  if (net::icmp_is_error(icmp)) {
    const net::Ipv4Address to = segment.packet.ip->destination;
    const Verdict verdict = error_input(core, segment, interface);
    const bool is_flows = verdict.passed() || segment.packet.ip->destination != to;  // translated
    if (is_flows || !kernels) return verdict;
  }
  if (kernels) return give_to_kernel(core, segment.buffer, interface);
  if (icmp.type == net::icmp_type::kEchoRequest) return echo_input(core, segment);
  return DropReason::icmp_unknown;
}

}  // namespace sluice
