// SPDX-License-Identifier: BSD-3-Clause
// Next hops: resolution, confirmation, ageing.
#include "dataplane/stage/next_hops.h"

#include <algorithm>
#include <utility>

namespace sluice {

using net::DropReason;
using net::Fate;
using net::Verdict;

namespace {

uint16_t largest_frame(const InterfaceView& interface) {
  return static_cast<uint16_t>(interface.mtu + sizeof(net::EthernetHeader));
}

}  // namespace

// ---- what packets ask for -----------------------------------------------------------------------

template <class Address>
[[gnu::always_inline]] inline Verdict NextHopsOf<Address>::find_hop(const Snapshot& snapshot,
                                                                    AddressIn destination,
                                                                    NextHop& hop, uint64_t now_ms,
                                                                    Share share) {
  if (hop.neighbour != Neighbours::kNone && neighbours_.generation(hop.neighbour) == hop.generation)
      [[likely]] {
    return Verdict::pass();
  }
  DropReason reason;
  const uint32_t index = resolve(snapshot, destination, share, now_ms, reason);
  if (index == Neighbours::kNone) return reason;
  hop = {index, neighbours_.generation(index)};
  return Verdict::pass();
}

template <class Address>
Verdict NextHopsOf<Address>::send_unresolved(const Snapshot& snapshot, rte_mbuf* packet,
                                             AddressIn destination, NextHop& hop, uint64_t now_ms,
                                             Share share) {
  const Verdict found = find_hop(snapshot, destination, hop, now_ms, share);
  if (!found.passed()) return found;
  Neighbour& neighbour = neighbours_[hop.neighbour];
  (share == Share::kFlows ? neighbour.flow_used_ms : neighbour.used_ms) = now_ms;
  if (packet->pkt_len > largest_frame(snapshot.interfaces[neighbour.interface])) {
    return DropReason::mtu_exceeded;
  }
  if (!neighbour.has_mac()) {
    return wait_for_answer(snapshot, packet, hop.neighbour, now_ms, share);
  }
  transmit(packet, neighbour);
  return Fate::kSent;
}

template <class Address>
Verdict NextHopsOf<Address>::room_unresolved(const Snapshot& snapshot, uint32_t frame_length,
                                             AddressIn destination, NextHop& hop, uint64_t now_ms,
                                             Share share) {
  const Verdict found = find_hop(snapshot, destination, hop, now_ms, share);
  if (!found.passed()) return found;
  const uint16_t interface = neighbours_[hop.neighbour].interface;
  if (frame_length > largest_frame(snapshot.interfaces[interface])) return DropReason::mtu_exceeded;
  return Verdict::pass();
}

template <class Address>
Verdict NextHopsOf<Address>::wait_for_answer(const Snapshot& snapshot, rte_mbuf* packet,
                                             uint32_t index, uint64_t now_ms, Share share) {
  Neighbour& neighbour = neighbours_[index];
  if (share == Share::kFlows && neighbour.share == Share::kStrangers) {
    assign(index, Share::kFlows, now_ms);
  }
  if (neighbour.state == State::kUnreachable) return DropReason::neighbour_unreachable;
  if (neighbour.tries == 0 && !may_ask(neighbour, now_ms)) {
    if (neighbour.waiting_count == 0) neighbours_.remove(index);
    return DropReason::neighbour_asks_limited;
  }
  if (!neighbours_.wait(index, packet)) return DropReason::neighbour_queue_full;
  counters_.packets_waiting.add();
  begin_asking(snapshot, index, now_ms);
  return Fate::kWaiting;
}

// In line in resolve(), which each new flow pays.
template <class Address>
[[gnu::always_inline]] inline uint32_t NextHopsOf<Address>::entry_of(const Snapshot& snapshot,
                                                                     const RouteOf<Address>& route,
                                                                     AddressIn link, Share share,
                                                                     uint64_t now_ms) {
  uint32_t index = neighbours_.find(link, route.interface);
  if (index == Neighbours::kNone) {
    index = make(link, route.interface, share, false, now_ms);
    if (index == Neighbours::kNone) return index;
  }
  const InterfaceView& interface = snapshot.interfaces[route.interface];
  Neighbour& neighbour = neighbours_[index];
  neighbour.asking = Protocol::source_of_requests(interface, route);
  // The interface's MTU may be another since the MAC was learnt.
  if (neighbour.has_mac()) neighbour.frame_max = largest_frame(interface);
  return index;
}

template <class Address>
uint32_t NextHopsOf<Address>::resolve(const Snapshot& snapshot, AddressIn destination, Share share,
                                      uint64_t now_ms, DropReason& reason) {
  const RouteOf<Address>* route = snapshot.of<Address>().find_route(destination);
  if (route == nullptr) {
    reason = DropReason::no_route;
    return Neighbours::kNone;
  }
  const bool is_direct = Protocol::is_none(route->via);
  const uint32_t index =
      entry_of(snapshot, *route, is_direct ? destination : route->via, share, now_ms);
  if (index == Neighbours::kNone) reason = DropReason::neighbour_table_full;
  return index;
}

template <class Address>
uint32_t NextHopsOf<Address>::resolve_on(const Snapshot& snapshot, const RouteOf<Address>& route,
                                         AddressIn link, Share share, uint64_t now_ms) {
  return entry_of(snapshot, route, link, share, now_ms);
}

template <class Address>
uint32_t NextHopsOf<Address>::make(AddressIn ip, uint16_t interface, Share share, bool has_mac,
                                   uint64_t now_ms) {
  const uint32_t victim = neighbours_.victim_for_new(share, has_mac, interface);
  if (victim != Neighbours::kNone) {
    counters_.count(Event::neighbours_evicted);
    remove(victim, DropReason::neighbour_evicted);
  }
  return neighbours_.create(ip, interface, share, now_ms);
}

template <class Address>
void NextHopsOf<Address>::assign(uint32_t index, Share share, uint64_t now_ms) {
  const Neighbour& neighbour = neighbours_[index];
  if (share == Share::kStrangers) {
    const uint32_t victim =
        neighbours_.victim_among_strangers(neighbour.has_mac(), neighbour.interface);
    if (victim != Neighbours::kNone && victim != index) {
      counters_.count(Event::neighbours_evicted);
      remove(victim, DropReason::neighbour_evicted);
    }
  }
  neighbours_.assign(index, share, now_ms);
}

template <class Address>
void NextHopsOf<Address>::wait_ended(uint32_t index, DropReason reason) {
  while (void* waiting = neighbours_.next_waiting(index)) {
    counters_.packets_waiting.subtract();
    tx_.drop(static_cast<rte_mbuf*>(waiting), reason);
  }
}

template <class Address>
void NextHopsOf<Address>::remove(uint32_t index, DropReason reason) {
  wait_ended(index, reason);
  neighbours_.remove(index);
}

// ---- asking -------------------------------------------------------------------------------------

template <class Address>
void NextHopsOf<Address>::begin_asking(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (neighbour.tries > 0) return;
  neighbour.tries = 1;
  neighbours_.timers().set(index, now_ms + Neighbours::kRetryMs);
  ask(snapshot, neighbour);
}

template <class Address>
bool NextHopsOf<Address>::may_ask(const Neighbour& neighbour, uint64_t now_ms) {
  if (neighbour.share != Share::kStrangers) return true;
  Bucket& bucket = buckets_[neighbour.interface];
  const uint64_t filled = (now_ms - bucket.filled_ms) * kAsksPerMs;
  bucket.filled_ms = now_ms;
  bucket.tokens = static_cast<uint32_t>(std::min<uint64_t>(kAsksBurst, bucket.tokens + filled));
  if (bucket.tokens == 0) return false;
  --bucket.tokens;
  return true;
}

template <class Address>
void NextHopsOf<Address>::ask(const Snapshot& snapshot, const Neighbour& neighbour,
                              std::optional<net::MacAddress> probed) {
  rte_mbuf* packet = tx_.allocate(Protocol::kRequestLength);
  if (packet == nullptr) return;
  const InterfaceView& interface = snapshot.interfaces[neighbour.interface];
  Protocol::write_request({rte_pktmbuf_mtod(packet, uint8_t*), Protocol::kRequestLength},
                          interface.mac, neighbour.asking, neighbour.ip, probed);
  counters_.count(Protocol::kRequestSent);
  tx_.send(interface.port, packet);
}

template <class Address>
uint32_t NextHopsOf<Address>::confirm_interval_ms(const Neighbour& neighbour) const {
  constexpr uint32_t kMsANeighbour = 2;
  if (neighbour.share == Share::kConfigured) return kConfirmMs;
  return std::clamp(neighbours_.count() * kMsANeighbour, kConfirmOthersMs,
                    Neighbours::kReachableMs);
}

// ---- what is heard ------------------------------------------------------------------------------

template <class Address>
void NextHopsOf<Address>::learn(const Snapshot& snapshot, const NeighbourClaim<Address>& claim,
                                uint16_t interface, bool asks_for_us, bool counts,
                                uint64_t now_ms) {
  if (Protocol::is_none(claim.ip)) return;  // a probe for a duplicate (RFC 5227, RFC 4862)
  uint32_t index = neighbours_.find(claim.ip, interface);
  if (index == Neighbours::kNone) {
    // Only who is on a link of ours is worth an entry.
    if (!asks_for_us || !claim.mac) return;
    const RouteOf<Address>* route = snapshot.of<Address>().find_route(claim.ip);
    if (route == nullptr || !Protocol::is_none(route->via) || route->interface != interface) return;
    index = make(claim.ip, interface, Share::kStrangers, true, now_ms);
    if (index == Neighbours::kNone) return;
    neighbours_[index].asking =
        Protocol::source_of_requests(snapshot.interfaces[interface], *route);
    neighbours_[index].used_ms = now_ms;
  }
  const Neighbour& neighbour = neighbours_[index];
  if (!claim.mac && !neighbour.has_mac()) return;
  hear(snapshot, index, claim.mac ? *claim.mac : neighbour.mac(), claim, counts, now_ms);
}

template <class Address>
void NextHopsOf<Address>::hear(const Snapshot& snapshot, uint32_t index, net::MacAddress mac,
                               const NeighbourClaim<Address>& claim, bool counts, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (!neighbour.has_mac()) {
    set_mac(snapshot, index, mac);
    return confirm(index, now_ms);
  }
  if (mac == neighbour.mac()) {
    if (neighbour.state == State::kPinned || !claim.confirms) return;
    if (neighbour.state == State::kContested) {
      note_conflict(neighbour, neighbour.claimed, neighbour.claims);
    }
    set_mac(snapshot, index, mac);  // the interface's MTU may be another one
    return confirm(index, now_ms);
  }
  if (neighbour.state == State::kPinned) return note_conflict(neighbour, mac, counts);
  // Who is known has been asked in vain, and then everybody: this is the answer.
  const bool sought = neighbour.state >= State::kProbing && neighbour.tries > kProbes;
  if (sought) {
    counters_.count(Event::neighbours_moved);
    set_mac(snapshot, index, mac);
    return confirm(index, now_ms);
  }
  if (!claim.overrides) return doubt(snapshot, index, now_ms);
  if (neighbour.state != State::kContested) neighbour.claims = 0;
  if (counts && neighbour.claims < UINT16_MAX) ++neighbour.claims;
  contest(snapshot, index, mac, now_ms);
}

/// Somebody answers as well, and says that another's MAC is the better one: only whether who is
/// known is still there is asked (RFC 4861, section 7.2.5).
template <class Address>
void NextHopsOf<Address>::doubt(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  const bool locked =
      neighbour.contested_ms != 0 && now_ms < neighbour.contested_ms + kContestLockMs;
  if (neighbour.state != State::kReachable || locked) return;
  neighbour.contested_ms = now_ms;
  neighbour.state = State::kProbing;
  neighbour.tries = 0;
  neighbour.silent_since_ms = now_ms;
  probe(snapshot, index, now_ms);
}

/// Somebody else claims the address: who is known is asked first.
template <class Address>
void NextHopsOf<Address>::contest(const Snapshot& snapshot, uint32_t index, net::MacAddress claimed,
                                  uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  neighbour.claimed = claimed;
  if (neighbour.state == State::kContested) return;
  const bool silent = neighbour.state == State::kProbing && neighbour.tries + 1 >= kProbes;
  const uint64_t unlocked_ms = neighbour.contested_ms + kContestLockMs;
  neighbour.state = State::kContested;
  neighbour.tries = silent ? kProbes - 1 : 0;
  if (neighbour.contested_ms != 0 && now_ms < unlocked_ms) {
    return neighbours_.timers().set(index, unlocked_ms);
  }
  ask_contested(snapshot, index, now_ms);
}

template <class Address>
void NextHopsOf<Address>::ask_contested(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  neighbour.contested_ms = now_ms;
  if (neighbour.tries > kProbes) {  // silent
    counters_.count(Event::neighbours_moved);
    set_mac(snapshot, index, neighbour.claimed);
    neighbour.state = State::kProbing;  // it has to answer as well
    neighbour.tries = 0;
    neighbour.silent_since_ms = now_ms;
    return probe(snapshot, index, now_ms);
  }
  ask(snapshot, neighbour, neighbour.mac());
  ++neighbour.tries;
  if (neighbour.tries == kProbes) {
    ask(snapshot, neighbour);
    ++neighbour.tries;
  }
  neighbours_.timers().set(index, now_ms + kContestMs);
}

template <class Address>
void NextHopsOf<Address>::set_mac(const Snapshot& snapshot, uint32_t index, net::MacAddress mac) {
  Neighbour& neighbour = neighbours_[index];
  const InterfaceView& interface = snapshot.interfaces[neighbour.interface];
  neighbour.header = {mac, interface.mac, Protocol::kEtherType};
  neighbour.frame_max = largest_frame(interface);
  neighbour.port = interface.port;
  if (neighbour.has_mac()) return;
  neighbour.state = State::kReachable;
  while (void* waiting = neighbours_.next_waiting(index)) {
    counters_.packets_waiting.subtract();
    auto* packet = static_cast<rte_mbuf*>(waiting);
    if (packet->pkt_len <= neighbour.frame_max) {
      transmit(packet, neighbour);
    } else {  // the MTU was larger when it began to wait
      tx_.drop(packet, DropReason::mtu_exceeded);
    }
  }
}

template <class Address>
void NextHopsOf<Address>::confirm(uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  constexpr uint32_t kSpreadMs =
      127;  // so that workers do not ask all at once: one answer serves all
  neighbour.state = State::kReachable;
  neighbour.tries = 0;
  neighbour.confirmed_ms = now_ms;
  const uint32_t spread = neighbours_.jitter(index) & kSpreadMs;
  neighbours_.timers().set(index, now_ms + confirm_interval_ms(neighbour) + spread);
  assign(index, neighbour.share, now_ms);
}

template <class Address>
void NextHopsOf<Address>::note_conflict(const Neighbour& neighbour, net::MacAddress claimed,
                                        uint64_t times) {
  if (times == 0) return;
  counters_.count(Event::arp_conflicts, times);
  conflicts_.note({neighbour.ip, neighbour.interface, false, neighbour.mac(), claimed, times});
}

template <class Address>
void NextHopsOf<Address>::note_own_conflict(const Snapshot& snapshot, AddressIn ip,
                                            net::MacAddress claimed, uint16_t interface) {
  const auto is_ours = [&](const InterfaceView& view) { return view.mac == claimed; };
  if (std::ranges::any_of(snapshot.interfaces, is_ours)) return;  // it came back to us
  counters_.count(Event::address_conflicts);
  conflicts_.note({ip, interface, true, snapshot.interfaces[interface].mac, claimed, 1});
}

// ---- what time brings ---------------------------------------------------------------------------

template <class Address>
void NextHopsOf<Address>::tick(const Snapshot& snapshot, uint64_t now_ms) {
  constexpr uint32_t kBudget = 64;
  if (is_adopting()) adopt_more(snapshot, now_ms);
  if (link_ups_.interfaces != 0) ask_more_again(snapshot, now_ms);
  neighbours_.timers().advance(now_ms, kBudget,
                               [&](uint32_t index) { expire(snapshot, index, now_ms); });
}

template <class Address>
void NextHopsOf<Address>::expire(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  switch (neighbour.state) {
    case State::kReachable:
      return expire_reachable(snapshot, index, now_ms);
    case State::kProbing:
      return probe(snapshot, index, now_ms);
    case State::kContested:
      return ask_contested(snapshot, index, now_ms);
    case State::kResolving:
      return ask_again(snapshot, index, now_ms);
    case State::kUnreachable:
      if (neighbour.share != Share::kConfigured) return neighbours_.remove(index);
      neighbour.state = State::kResolving;  // asked for again by the next packet
      neighbour.tries = 0;
      return;
    case State::kPinned:
    case State::kFree:
      return;
  }
}

template <class Address>
void NextHopsOf<Address>::expire_reachable(const Snapshot& snapshot, uint32_t index,
                                           uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  const uint64_t idle_ms = now_ms - neighbour.last_used_ms();
  if (neighbour.share != Share::kConfigured && idle_ms >= Neighbours::kUnusedMs) {
    return neighbours_.remove(index);
  }
  if (neighbour.share == Share::kStrangers && neighbour.flow_used_ms != 0) {
    assign(index, Share::kFlows, now_ms);
  }
  const uint32_t interval_ms = confirm_interval_ms(neighbour);
  if (idle_ms >= interval_ms) return neighbours_.timers().set(index, now_ms + interval_ms);
  neighbour.state = State::kProbing;
  neighbour.tries = 0;
  neighbour.silent_since_ms = now_ms;
  probe(snapshot, index, now_ms);
}

/// Whether a next hop is still there: itself, then everybody. Packets go on meanwhile.
template <class Address>
void NextHopsOf<Address>::probe(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (now_ms - neighbour.silent_since_ms >= Neighbours::kReachableMs) {
    neighbour.state = State::kResolving;
    neighbour.frame_max = 0;
    neighbour.tries = 0;
    assign(index, neighbour.share, now_ms);
    return ask_again(snapshot, index, now_ms);
  }
  if (neighbour.tries > kProbes && now_ms - neighbour.last_used_ms() > 2 * kConfirmMs) {
    neighbour.state = State::kReachable;  // nobody wants to know any more
    return neighbours_.timers().set(index, now_ms + confirm_interval_ms(neighbour));
  }
  const bool alone = neighbour.tries < kProbes;
  if (neighbour.tries < UINT8_MAX) ++neighbour.tries;
  ask(snapshot, neighbour, alone ? std::optional(neighbour.mac()) : std::nullopt);
  neighbours_.timers().set(index, now_ms + (alone ? kProbeMs : Neighbours::kRetryMs));
}

template <class Address>
void NextHopsOf<Address>::ask_again(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (neighbour.tries == Neighbours::kTries) {
    wait_ended(index, DropReason::neighbour_unreachable);
    neighbour.state = State::kUnreachable;
    neighbours_.timers().set(index, now_ms + Neighbours::kUnreachableMs);
    return;
  }
  ++neighbour.tries;
  neighbours_.timers().set(index, now_ms + Neighbours::kRetryMs);
  if (may_ask(neighbour, now_ms)) ask(snapshot, neighbour);
}

// What next_hops_configured.cc and others call.
#define SLUICE_INSTANTIATE(Address)                                                            \
  template Verdict NextHopsOf<Address>::send_unresolved(const Snapshot&, rte_mbuf*, AddressIn, \
                                                        NextHop&, uint64_t, Share);            \
  template Verdict NextHopsOf<Address>::room_unresolved(const Snapshot&, uint32_t, AddressIn,  \
                                                        NextHop&, uint64_t, Share);            \
  template uint32_t NextHopsOf<Address>::resolve(const Snapshot&, AddressIn, Share, uint64_t,  \
                                                 DropReason&);                                 \
  template uint32_t NextHopsOf<Address>::resolve_on(const Snapshot&, const RouteOf<Address>&,  \
                                                    AddressIn, Share, uint64_t);               \
  template uint32_t NextHopsOf<Address>::make(AddressIn, uint16_t, Share, bool, uint64_t);     \
  template void NextHopsOf<Address>::assign(uint32_t, Share, uint64_t);                        \
  template void NextHopsOf<Address>::begin_asking(const Snapshot&, uint32_t, uint64_t);        \
  template void NextHopsOf<Address>::set_mac(const Snapshot&, uint32_t, net::MacAddress);      \
  template void NextHopsOf<Address>::learn(const Snapshot&, const NeighbourClaim<Address>&,    \
                                           uint16_t, bool, bool, uint64_t);                    \
  template void NextHopsOf<Address>::note_own_conflict(const Snapshot&, AddressIn,             \
                                                       net::MacAddress, uint16_t);             \
  template void NextHopsOf<Address>::tick(const Snapshot&, uint64_t);
SLUICE_INSTANTIATE(net::Ipv4Address)
SLUICE_INSTANTIATE(net::Ipv6Address)
#undef SLUICE_INSTANTIATE

}  // namespace sluice
