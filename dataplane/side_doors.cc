// SPDX-License-Identifier: BSD-3-Clause
// ARP and ICMP.
#include "dataplane/side_doors.h"

#include "dataplane/net/arp.h"
#include "dataplane/net/icmp.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

Verdict arp_input(Core& core, Segment& segment, uint16_t interface) {
  const Snapshot& snapshot = *core.snapshot;
  net::ArpHeader& arp = *segment.packet.arp;
  const bool for_us = snapshot.is_own(arp.target_ip, interface);
  if (snapshot.is_own(arp.sender_ip, interface))
    return DropReason::arp_bad;  // our address: a clash
  core.next_hops.learn(snapshot, arp, interface, for_us, core.now_ms);
  if (!for_us || arp.operation != net::kArpRequest) {
    rte_pktmbuf_free(segment.buffer);
    return Verdict::pass();
  }
  const InterfaceView& view = snapshot.interfaces[interface];
  net::arp_answer(*segment.packet.ethernet, arp, view.mac);
  core.count(Event::arp_requests_answered);
  core.tx.send(view.port, segment.buffer);
  return Verdict::pass();
}

namespace {

Verdict echo_input(Core& core, Segment& segment) {
  net::icmp_echo_answer(segment.packet);
  core.count(Event::echo_requests_answered);
  NextHop hop;
  core.next_hops.send(*core.snapshot, segment.buffer, segment.packet.ip->destination, hop,
                      core.now_ms);
  return Verdict::pass();
}

/// An error goes to whoever sent the packet that it quotes (RFC 5508, section 4), seen from there.
Verdict error_input(Core& core, Segment& segment) {
  auto quoted = net::icmp_quoted_tcp(segment.packet);
  if (!quoted || quoted->source.ip != segment.packet.ip->destination) return DropReason::icmp_bad;
  if (segment.packet.ip->ttl <= 1) return DropReason::ipv4_ttl_expired;
  const FlowHit hit = core.flows.lookup({quoted->destination, quoted->source});
  if (hit.index == FlowTable::kNone) return DropReason::no_flow_icmp;
  Flow& flow = core.flows[hit.index];
  core.count(Event::icmp_errors_translated);
  if (hit.direction == Direction::kInbound) {  // quotes vip > client: the backend sent it
    net::icmp_translate_error(segment.packet, *quoted, flow.local().ip, flow.backend_address().ip,
                              flow.backend_address(), flow.local(), 0);
    core.next_hops.send(*core.snapshot, segment.buffer, flow.backend_address().ip, flow.to_backend,
                        core.now_ms);
  } else {  // quotes local > backend: the client sent it
    net::icmp_translate_error(segment.packet, *quoted, flow.vip().ip, flow.client().ip,
                              flow.client(), flow.vip(), 0 - flow.shift.sequence);
    core.next_hops.send(*core.snapshot, segment.buffer, flow.client().ip, flow.to_client,
                        core.now_ms);
  }
  return Verdict::pass();
}

}  // namespace

Verdict icmp_input(Core& core, Segment& segment, uint16_t interface) {
  if (!core.snapshot->is_own(segment.packet.ip->destination, interface)) {
    return DropReason::ipv4_not_for_us;
  }
  if (core.snapshot->is_own(segment.packet.ip->source, interface)) {
    return DropReason::ipv4_source_bad;
  }
  if (!net::icmp_checksum_ok(segment.packet)) return DropReason::icmp_bad;
  const net::IcmpHeader& icmp = *segment.packet.icmp;
  if (icmp.type == net::icmp_type::kEchoRequest) return echo_input(core, segment);
  if (net::icmp_is_error(icmp)) return error_input(core, segment);
  return DropReason::icmp_unknown;
}

}  // namespace sluice
