// SPDX-License-Identifier: BSD-3-Clause
// The burst.
#include "dataplane/stage/pipeline.h"

#include <rte_prefetch.h>

#include <type_traits>
#include <utility>

#include "dataplane/net/packet_checksum.h"
#include "dataplane/port/tsc_clock.h"
#include "dataplane/stage/arp_input.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/expiry.h"
#include "dataplane/stage/icmp6_input.h"
#include "dataplane/stage/icmp_input.h"
#include "dataplane/stage/inbound.h"
#include "dataplane/stage/outbound.h"
#include "dataplane/stage/ownership.h"
#include "dataplane/stage/resets.h"
#include "dataplane/stage/source_check.h"
#include "dataplane/stage/trace.h"
#include "dataplane/stage/udp.h"
#include "dataplane/stage/unmatched.h"
#include "dataplane/stage/unread_input.h"
#include "dataplane/stage/upkeep.h"
#include "dataplane/stage/why.h"

namespace sluice {

using net::DropReason;
using net::Packet;
using net::Verdict;

namespace {

/// What a link's neighbours say to several at once, and we listen to.
bool is_for_all(const Packet& packet) {
  return packet.kind == Packet::Kind::kArp || (packet.kind == Packet::Kind::kIcmp && packet.is_v6);
}

/// One that the device handed over in pieces, since it knows no buffers as large as ours, becomes
/// one: the first has room for all that the MTU allows (net/frame_size.h).
bool is_in_one_buffer(rte_mbuf* frame) {
  return frame->nb_segs == 1 || rte_pktmbuf_linearize(frame) == 0;
}

// Always in line: run_burst() and run_burst_clocked() have one each.
[[gnu::always_inline]] inline void parse_buffer(rte_mbuf* buffer, net::MacAddress our_mac,
                                                Packet& packet) {
  if (!is_in_one_buffer(buffer)) [[unlikely]] {
    packet.kind = Packet::Kind::kBad;
    packet.reason = DropReason::frame_segmented;
    return;
  }
  net::parse({rte_pktmbuf_mtod(buffer, uint8_t*), buffer->data_len}, packet);
  if (packet.kind == Packet::Kind::kBad) return;
  const net::MacAddress& to = packet.ethernet->destination;
  const bool ours = to == our_mac || (to.is_multicast() && is_for_all(packet));
  if (!ours) {
    packet.kind = Packet::Kind::kBad;
    packet.reason = DropReason::mac_not_ours;
  }
}

/// Where a segment or datagram belongs, told by its destination: to a service's flows, or to a port
/// pool's.
struct FlowLookup {
  enum class Kind : uint8_t { kService, kPool, kElsewhere };
  Kind kind;
  uint8_t place;               // kService: of its key in the FlowBurst
  Owner owner;                 // of the destination
  const PortPool::Use* local;  // kPool: where the flow of its port is told
};
static_assert(kBurstMax <= FlowBurst::kMax && FlowBurst::kMax <= UINT8_MAX);

/// The keys of a burst of packets, by family.
struct FlowBursts {
  FlowBurst v4;
  FlowBurst6 v6;

  template <class Address>
  FlowBurstOf<FlowKeyOf<Address>>& of() {
    if constexpr (std::is_same_v<Address, net::Ipv4Address>) {
      return v4;
    } else {
      return v6;
    }
  }
  template <class Address>
  const FlowBurstOf<FlowKeyOf<Address>>& of() const {
    return const_cast<FlowBursts*>(this)->of<Address>();
  }
};

/// First pass: which memory will tell the flow? It is fetched.
template <net::Protocol protocol, class Address>
[[gnu::always_inline]] inline void prefetch_lookup(const Core& core, const Segment& segment,
                                                   bool faces_backends, FlowLookup& lookup,
                                                   FlowBursts& bursts) {
  const NetworkOf<Address>& network = core.snapshot->of<Address>();
  const net::EndpointOf<Address> source = segment.source_of<Address>();
  const net::EndpointOf<Address> destination = segment.destination_of<Address>();
  const Owner owner = network.owner_of(destination.ip);
  lookup.owner = owner;
  if (owner == Owner::kVip) {
    const FlowKeyOf<Address> key{source, network.service_at(protocol, destination)};
    if (key.service == kNoId) return;
    lookup.kind = FlowLookup::Kind::kService;
    const auto& index = core.flows.index<FlowKeyOf<Address>>();
    const uint64_t hash = index.hash(key);
    index.prefetch(hash);
    lookup.place = static_cast<uint8_t>(bursts.of<Address>().add(key, hash));
  } else if (owner != Owner::kNobody && faces_backends) {
    const PoolId pool = network.pool_at(protocol, owner, source);
    if (pool == kNoPool) return;
    lookup.local = core.registry.pools[pool]->ports.find(destination.port.host());
    if (lookup.local == nullptr) return;
    lookup.kind = FlowLookup::Kind::kPool;
    __builtin_prefetch(lookup.local);
  }
}

[[gnu::always_inline]] inline void prefetch_of_kind(const Core& core, const Segment& segment,
                                                    bool faces_backends, FlowLookup& lookup,
                                                    FlowBursts& bursts) {
  using net::Ipv4Address, net::Ipv6Address;
  constexpr auto kTcp = net::Protocol::kTcp, kUdp = net::Protocol::kUdp;
  const Packet& packet = segment.packet;
  if (packet.kind == Packet::Kind::kTcp) [[likely]] {
    if (!packet.is_v6) [[likely]] {
      prefetch_lookup<kTcp, Ipv4Address>(core, segment, faces_backends, lookup, bursts);
    } else {
      prefetch_lookup<kTcp, Ipv6Address>(core, segment, faces_backends, lookup, bursts);
    }
  } else if (packet.kind == Packet::Kind::kUdp) {
    if (!packet.is_v6) {
      prefetch_lookup<kUdp, Ipv4Address>(core, segment, faces_backends, lookup, bursts);
    } else {
      prefetch_lookup<kUdp, Ipv6Address>(core, segment, faces_backends, lookup, bursts);
    }
  }
}

/// Second pass: the flow is fetched; a service's has been, by its look-up. In line always: gcc
/// takes a function that only prefetches for one without effect, and drops it.
[[gnu::always_inline]] inline void fetch_flow(const Core& core, const FlowLookup& lookup) {
  if (lookup.kind != FlowLookup::Kind::kPool) return;
  if (lookup.local->flow != PortPool::kNoFlow) core.flows.prefetch_flow(lookup.local->flow);
}

Verdict tcp_no_service(Core& core, Segment& segment) {
  if (!net::tcp_checksum_ok(segment.packet)) {
    return DropReason::tcp_checksum_bad;
  }
  note_refusal(core, segment, DropReason::no_service);
  answer_with_reset(core, segment, Event::resets_to_clients);
  return DropReason::no_service;
}

/// What belongs to no service and no pool.
template <net::Protocol protocol, class Address>
Verdict no_flow_in(Core& core, Segment& segment, const FlowLookup& lookup, uint16_t interface) {
  constexpr bool kIsTcp = protocol == net::Protocol::kTcp;
  const Snapshot& snapshot = *core.snapshot;
  const Verdict source = check_source(core, segment.source_of<Address>().ip, interface);
  if (!source.passed()) return source;
  if (is_local(lookup.owner)) {
    if (may_be_elsewhere(core)) {
      const uint32_t other =
          other_owner_of_port(core, protocol, segment.destination(), segment.source());
      if (other != kNotElsewhere) return hand_off(core, other, segment, interface);
    }
    return kIsTcp ? outbound_miss(core, segment) : udp_outbound_miss(core, segment);
  }
  const Address destination = segment.destination_of<Address>().ip;
  if (is_kernels(core, destination, interface)) {
    return give_to_kernel(core, segment.buffer, interface);
  }
  if (lookup.owner == Owner::kNobody && !snapshot.is_own(destination, interface)) {
    return unmatched_input(core, segment, interface);
  }
  return kIsTcp ? tcp_no_service(core, segment) : udp_no_service(core, segment);
}

template <net::Protocol protocol>
Verdict no_flow(Core& core, Segment& segment, const FlowLookup& lookup, uint16_t interface) {
  return segment.packet.is_v6
             ? no_flow_in<protocol, net::Ipv6Address>(core, segment, lookup, interface)
             : no_flow_in<protocol, net::Ipv4Address>(core, segment, lookup, interface);
}

template <net::Protocol protocol, class Address>
Verdict from_client(Core& core, Segment& segment, const FlowLookup& lookup,
                    const FlowBursts& bursts, uint16_t interface) {
  constexpr bool kIsTcp = protocol == net::Protocol::kTcp;
  // Packets before this one in the burst may have opened or ended a flow since it was fetched.
  const auto& burst = bursts.of<Address>();
  uint32_t index = burst.candidates[lookup.place];
  const FlowKeyOf<Address>& key = burst.keys[lookup.place];
  const bool opened = core.flows.published_count() != burst.published_count;
  if (index == FlowTable::kNone ? opened : !core.flows.has_key(index, key)) [[unlikely]] {
    index = core.flows.find(key, burst.hashes[lookup.place]);
  }
  if (index != FlowTable::kNone) [[likely]] {
    return kIsTcp ? inbound(core, index, segment) : udp_inbound(core, index, segment);
  }
  if (may_be_elsewhere(core)) {
    const uint32_t other = other_owner_of_client(core, segment.source(), segment.destination());
    if (other != kNotElsewhere) return hand_off(core, other, segment, interface);
  }
  if (core.elsewhere.any) [[unlikely]] {
    const uint32_t other = adopter_of(core, key, segment.destination());
    if (other != kNotElsewhere) return hand_off(core, other, segment, interface);
  }
  const ServiceView* service = core.snapshot->find_service(key.service);
  if (service == nullptr) return no_flow<protocol>(core, segment, lookup, interface);  // removed
  const Verdict source = check_source(core, segment.source_of<Address>().ip, interface);
  if (!source.passed()) return source;
  return kIsTcp ? inbound_miss(core, *service, segment) : udp_inbound_miss(core, *service, segment);
}

template <net::Protocol protocol>
Verdict flow_input(Core& core, Segment& segment, const FlowLookup& lookup, const FlowBursts& bursts,
                   uint16_t interface) {
  if (lookup.kind == FlowLookup::Kind::kService) {
    if (!segment.packet.is_v6) [[likely]]
      return from_client<protocol, net::Ipv4Address>(core, segment, lookup, bursts, interface);
    return from_client<protocol, net::Ipv6Address>(core, segment, lookup, bursts, interface);
  }
  if (lookup.kind == FlowLookup::Kind::kPool && lookup.local->flow != PortPool::kNoFlow)
      [[likely]] {
    return protocol == net::Protocol::kTcp ? outbound(core, lookup.local->flow, segment)
                                           : udp_outbound(core, lookup.local->flow, segment);
  }
  return no_flow<protocol>(core, segment, lookup, interface);
}

Verdict dispatch(Core& core, Segment& segment, const FlowLookup& lookup, const FlowBursts& bursts,
                 uint16_t interface) {
  if (segment.packet.kind == Packet::Kind::kTcp) [[likely]] {
    return flow_input<net::Protocol::kTcp>(core, segment, lookup, bursts, interface);
  }
  switch (segment.packet.kind) {
    case Packet::Kind::kUdp:
      return flow_input<net::Protocol::kUdp>(core, segment, lookup, bursts, interface);
    case Packet::Kind::kArp:
      return arp_input(core, segment, interface);
    case Packet::Kind::kIcmp:
      return segment.packet.is_v6 ? icmp6_input(core, segment, interface)
                                  : icmp_input(core, segment, interface);
    case Packet::Kind::kTcp:
    case Packet::Kind::kBad:
      break;
  }
  return unread_input(core, segment, interface);
}

/// Whose connection a segment is of.
TraceSubject subject_of(const Core& core, const Segment& segment, const FlowLookup& lookup) {
  const net::Protocol protocol =
      segment.packet.kind == Packet::Kind::kUdp ? net::Protocol::kUdp : net::Protocol::kTcp;
  if (lookup.kind == FlowLookup::Kind::kPool && lookup.local->flow != PortPool::kNoFlow) {
    const Flow& flow = core.flows[lookup.local->flow];
    return {protocol, core.client(flow), core.vip(flow), core.flows.name(flow)};
  }
  const ServiceId service = core.snapshot->service_at(protocol, segment.destination());
  return {protocol, segment.source(), segment.destination(), {segment.source(), service}};
}

/// Third pass: dispatches in the order of arrival. noinline, so that the inlined stages exist once
/// in the binary. Returns the last packet's verdict.
[[gnu::noinline, gnu::noclone]] Verdict run_segments(Core& core, uint16_t interface,
                                                     Segment* segments, const FlowLookup* lookups,
                                                     const FlowBursts& bursts, uint16_t count) {
  Verdict verdict = Verdict::pass();
  for (uint16_t i = 0; i < count; ++i) {
    verdict = dispatch(core, segments[i], lookups[i], bursts, interface);
    if (!verdict.passed()) core.tx.drop(segments[i].buffer, verdict.reason());
  }
  return verdict;
}

/// The same, one by one, for who wants to see what becomes of some of them.
void run_segments_traced(Core& core, uint16_t interface, Segment* segments,
                         const FlowLookup* lookups, const FlowBursts& bursts, uint16_t count) {
  Trace& trace = *core.trace;
  for (uint16_t i = 0; i < count; ++i) {
    TraceSubject subject;
    const Packet::Kind kind = segments[i].packet.kind;
    const bool wanted = (kind == Packet::Kind::kTcp || kind == Packet::Kind::kUdp) &&
                        !trace.is_closed(core.now_ms) &&
                        trace.wants(subject = subject_of(core, segments[i], lookups[i]));
    if (!wanted) {
      static_cast<void>(run_segments(core, interface, segments + i, lookups + i, bursts, 1));
      continue;
    }
    core.tx.flush();  // leaves room: what is sent now stays here until it has been looked at
    TraceRecord& record = trace.next();
    const EventCounts before = begin_trace(core, segments[i], subject, interface, record);
    const Verdict verdict = run_segments(core, interface, segments + i, lookups + i, bursts, 1);
    end_trace(core, segments[i], subject, before, verdict, record);
    trace.commit();
  }
}

/// Who does not time what it does.
struct NoLaps {
  void lap(ClockedStage, uint16_t) {}
};

/// Who does.
class Laps {
 public:
  explicit Laps(StageClocks& clocks) : clocks_(clocks) {}
  void lap(ClockedStage stage, uint16_t packets) {
    const uint64_t now = TscClock::ticks();
    clocks_.note(stage, packets, now - std::exchange(began_, now));
  }

 private:
  StageClocks& clocks_;
  uint64_t began_ = TscClock::ticks();
};

ClockedStage stage_of(const FlowLookup& lookup) {
  switch (lookup.kind) {
    case FlowLookup::Kind::kService:
      return ClockedStage::kInbound;
    case FlowLookup::Kind::kPool:
      return ClockedStage::kOutbound;
    case FlowLookup::Kind::kElsewhere:
      break;
  }
  return ClockedStage::kOther;
}

void dispatch_all(Core& core, uint16_t interface, Segment* segments, const FlowLookup* lookups,
                  const FlowBursts& bursts, uint16_t count, NoLaps&) {
  if (core.trace == nullptr) [[likely]] {
    static_cast<void>(run_segments(core, interface, segments, lookups, bursts, count));
  } else {
    run_segments_traced(core, interface, segments, lookups, bursts, count);
  }
}

/// A lap for each run of packets of the same stage: most bursts are one or two.
void dispatch_all(Core& core, uint16_t interface, Segment* segments, const FlowLookup* lookups,
                  const FlowBursts& bursts, uint16_t count, Laps& laps) {
  NoLaps none;
  for (uint16_t begin = 0, end; begin < count; begin = end) {
    const ClockedStage stage = stage_of(lookups[begin]);
    for (end = begin + 1; end < count && stage_of(lookups[end]) == stage;) ++end;
    const auto length = static_cast<uint16_t>(end - begin);
    dispatch_all(core, interface, segments + begin, lookups + begin, bursts, length, none);
    laps.lap(stage, length);
  }
}

template <class Timer>
[[gnu::always_inline]] inline void run_passes(Core& core, uint16_t interface, rte_mbuf** buffers,
                                              uint16_t count, Timer& timer) {
  Segment segments[kBurstMax];
  FlowLookup lookups[kBurstMax];
  FlowBursts bursts;
  const net::MacAddress mac = core.snapshot->interfaces[interface].mac;
  const bool faces_backends = core.snapshot->interfaces[interface].faces_backends;
  uint64_t bytes = 0;

  for (uint16_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(buffers[i], void*));
  for (uint16_t i = 0; i < count; ++i) {
    segments[i].buffer = buffers[i];
    parse_buffer(buffers[i], mac, segments[i].packet);
    bytes += buffers[i]->pkt_len;
    lookups[i].kind = FlowLookup::Kind::kElsewhere;
    prefetch_of_kind(core, segments[i], faces_backends, lookups[i], bursts);
  }
  timer.lap(ClockedStage::kParse, count);
  if (bursts.v4.count > 0) {
    core.flows.index().look_up(bursts.v4);
    bursts.v4.published_count = core.flows.published_count();
  }
  if (bursts.v6.count > 0) [[unlikely]] {
    core.flows.index<FlowKey6>().look_up(bursts.v6);
    bursts.v6.published_count = core.flows.published_count();
  }
  for (uint16_t i = 0; i < count; ++i) fetch_flow(core, lookups[i]);
  timer.lap(ClockedStage::kLookUp, count);
  dispatch_all(core, interface, segments, lookups, bursts, count, timer);
  if (core.origin != BurstOrigin::kReceived) return;  // they have been counted
  core.counters.packets_in.add(count);
  core.counters.bytes_in.add(bytes);
}

/// What a burst's fragments have made whole, by whichever interface the last of them came.
[[gnu::noinline, gnu::cold]] void run_datagrams(Core& core) {
  const PacketBuffer whole = core.datagrams;
  core.datagrams.count = 0;
  const BurstOrigin origin = std::exchange(core.origin, BurstOrigin::kReassembled);
  for (uint16_t i = 0; i < whole.count; ++i) {
    rte_mbuf* datagram = whole.packets[i];
    run_burst(core, core.snapshot->interface_of_port[datagram->port], &datagram, 1);
  }
  core.origin = origin;
}

}  // namespace

void run_burst(Core& core, uint16_t interface, rte_mbuf** buffers, uint16_t count) {
  NoLaps none;
  run_passes(core, interface, buffers, count, none);
  if (core.datagrams.count > 0) [[unlikely]]
    run_datagrams(core);
}

[[gnu::noinline, gnu::cold]] void run_burst_clocked(Core& core, uint16_t interface,
                                                    rte_mbuf** buffers, uint16_t count,
                                                    StageClocks& clocks) {
  Laps laps(clocks);
  run_passes(core, interface, buffers, count, laps);
  if (core.datagrams.count > 0) run_datagrams(core);
}

void run_taken_over(Core& core, rte_mbuf** buffers, uint16_t count) {
  core.origin = BurstOrigin::kTakenOver;
  for (uint16_t begin = 0, end; begin < count; begin = end) {
    const uint16_t port = buffers[begin]->port;
    for (end = begin + 1; end < count && buffers[end]->port == port;) ++end;
    run_burst(core, core.snapshot->interface_of_port[port], buffers + begin,
              static_cast<uint16_t>(end - begin));
  }
  core.origin = BurstOrigin::kReceived;
}

void run_housekeeping(Core& core) {
  constexpr uint32_t kFlowBudget = 64;  // in the order of a burst's work
  core.flow_timers.advance(core.now_ms, kFlowBudget,
                           [&](uint32_t index) { expire_flow(core, index); });
  core.next_hops.tick(*core.snapshot, core.now_ms);
  core.next_hops6.tick(*core.snapshot, core.now_ms);
  if (core.reassembly) core.reassembly->expire(core.now_ms);
  core.mld_reports.tick(*core.snapshot, core.now_ms);
  core.announcements.tick(*core.snapshot, core.now_ms);
  run_upkeep(core);
}

void adopt_snapshot(Core& core, const Snapshot& snapshot) {
  const bool first = core.snapshot == nullptr;
  core.snapshot = &snapshot;
  adopt_timeouts(core, snapshot);
  ++core.snapshot_count;
  // The snapshot before may be gone by now.
  const uint64_t before = std::exchange(core.network_generation, snapshot.network_generation);
  core.link_generation = snapshot.link_generation;
  const bool same_network = !first && before == snapshot.network_generation;
  if (!same_network) {
    core.next_hops.adopt(snapshot, core.now_ms);
    core.next_hops6.adopt(snapshot, core.now_ms);
  }
  for (uint16_t i = 0; i < snapshot.interfaces.size(); ++i) {
    const uint32_t link_ups = snapshot.interfaces[i].link_ups;
    const bool came_up = std::exchange(core.link_ups[i], link_ups) != link_ups && !first;
    if (same_network && !came_up) continue;
    if (came_up) {
      core.next_hops.link_came_up(snapshot, i, core.now_ms);
      core.next_hops6.link_came_up(snapshot, i, core.now_ms);
    }
    if (core.worker != 0) continue;
    core.mld_reports.begin(i, core.now_ms);
    core.announcements.begin(i, core.now_ms);
  }
  core.mld_reports.tick(snapshot, core.now_ms);  // first: where switches snoop, nobody else hears
  core.announcements.tick(snapshot, core.now_ms);
}

}  // namespace sluice
