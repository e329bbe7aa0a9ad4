// SPDX-License-Identifier: BSD-3-Clause
// The burst.
#include "dataplane/pipeline.h"

#include <rte_prefetch.h>

#include "dataplane/inbound.h"
#include "dataplane/lifecycle.h"
#include "dataplane/outbound.h"
#include "dataplane/resets.h"
#include "dataplane/side_doors.h"

namespace sluice {

using net::DropReason;
using net::Packet;
using net::Verdict;

namespace {

static_assert(kBurstMax <= FlowTable::kBulkMax);

Packet parse_buffer(rte_mbuf* buffer, net::MacAddress our_mac) {
  Packet packet{};
  packet.kind = Packet::Kind::kBad;
  if (buffer->nb_segs != 1) {
    packet.reason = DropReason::frame_segmented;
    return packet;
  }
  packet = net::parse({rte_pktmbuf_mtod(buffer, uint8_t*), buffer->data_len});
  if (packet.kind == Packet::Kind::kBad) return packet;
  const net::MacAddress& to = packet.ethernet->destination;
  const bool ours = to == our_mac || (packet.kind == Packet::Kind::kArp && to.is_multicast());
  if (!ours) {
    packet.kind = Packet::Kind::kBad;
    packet.reason = DropReason::mac_not_ours;
  }
  return packet;
}

/// TCP that no flow has: for a service, for a local address, or for nobody.
Verdict tcp_miss(Core& core, Segment& segment, uint16_t interface) {
  const Snapshot& snapshot = *core.snapshot;
  const net::Ipv4Header& ip = *segment.packet.ip;
  if (snapshot.is_own(ip.source, interface)) return DropReason::ipv4_source_bad;
  const net::Endpoint destination = segment.key().destination;
  if (const ServiceView* service = snapshot.find_service(destination)) {
    return inbound_miss(core, *service, segment);
  }
  if (snapshot.is_local(destination.ip)) return outbound_miss(core, segment);
  if (!snapshot.is_own(destination.ip, interface)) return DropReason::ipv4_not_for_us;
  if (!net::tcp_checksum_ok(ip, *segment.packet.tcp, segment.packet.l4_length)) {
    return DropReason::tcp_checksum_bad;
  }
  answer_with_reset(core, segment, Event::resets_to_clients);
  return DropReason::no_service;
}

Verdict tcp_input(Core& core, Segment& segment, FlowHit hit, uint16_t interface) {
  const FlowKey key = segment.key();
  // Packets before this one in the burst may have opened, ended or moved a flow since the bulk
  // look-up.
  auto stands = [&](FlowHit h) {
    if (h.index == FlowTable::kNone || !core.flows.is_live(h.index)) return false;
    const Flow& flow = core.flows[h.index];
    return key == (h.direction == Direction::kInbound ? flow.inbound_key() : flow.outbound_key());
  };
  if (!stands(hit)) [[unlikely]] {
    hit = core.flows.lookup(key);
    if (hit.index == FlowTable::kNone) return tcp_miss(core, segment, interface);
  }
  return hit.direction == Direction::kInbound ? inbound(core, hit.index, segment)
                                              : outbound(core, hit.index, segment);
}

Verdict dispatch(Core& core, Segment& segment, FlowHit hit, uint16_t interface) {
  switch (segment.packet.kind) {
    case Packet::Kind::kTcp:
      return tcp_input(core, segment, hit, interface);
    case Packet::Kind::kArp:
      return arp_input(core, segment, interface);
    case Packet::Kind::kIcmp:
      return icmp_input(core, segment, interface);
    case Packet::Kind::kBad:
      break;
  }
  return segment.packet.reason;
}

}  // namespace

void run_burst(Core& core, uint16_t interface, rte_mbuf** buffers, uint16_t count) {
  Segment segments[kBurstMax];
  FlowKey keys[kBurstMax];
  const FlowKey* wanted[kBurstMax];
  uint16_t wanted_by[kBurstMax];
  FlowHit found[kBurstMax];
  FlowHit hits[kBurstMax];

  for (uint16_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(buffers[i], void*));
  uint16_t wanted_count = 0;
  const net::MacAddress mac = core.snapshot->interfaces[interface].mac;
  uint64_t bytes = 0;
  for (uint16_t i = 0; i < count; ++i) {
    segments[i] = {buffers[i], parse_buffer(buffers[i], mac)};
    bytes += buffers[i]->pkt_len;
    hits[i] = {FlowTable::kNone, Direction::kInbound};
    if (segments[i].packet.kind != Packet::Kind::kTcp) continue;
    keys[wanted_count] = segments[i].key();
    wanted[wanted_count] = &keys[wanted_count];
    wanted_by[wanted_count++] = i;
  }
  core.flows.lookup({wanted, wanted_count}, found);
  for (uint16_t i = 0; i < wanted_count; ++i) {
    hits[wanted_by[i]] = found[i];
    if (found[i].index == FlowTable::kNone) continue;
    const Flow* flow = &core.flows[found[i].index];
    rte_prefetch0(flow);
    rte_prefetch0(reinterpret_cast<const uint8_t*>(flow) + 64);
  }
  for (uint16_t i = 0; i < count; ++i) {
    const Verdict verdict = dispatch(core, segments[i], hits[i], interface);
    if (!verdict.passed()) core.tx.drop(buffers[i], verdict.reason());
  }
  core.counters.packets_in.add(count);
  core.counters.bytes_in.add(bytes);
}

void run_housekeeping(Core& core) {
  constexpr uint32_t kFlowBudget = 256;
  core.flow_timers.advance(core.now_ms, kFlowBudget,
                           [&](uint32_t index) { expire_flow(core, index); });
  core.next_hops.tick(*core.snapshot, core.now_ms);
}

void adopt_snapshot(Core& core, const Snapshot& snapshot) {
  const bool first = core.snapshot == nullptr;
  core.snapshot = &snapshot;
  if (!first) core.next_hops.forget_routes();
  core.next_hops.announce(snapshot);
  for (const Route& route : snapshot.routes) {
    if (route.via.raw != 0) core.next_hops.prepare(snapshot, route.via, core.now_ms);
  }
  for (const ServiceView& service : snapshot.services) {
    for (const BackendView& backend : service.backends) {
      core.next_hops.prepare(snapshot, backend.address.ip, core.now_ms);
    }
  }
}

}  // namespace sluice
