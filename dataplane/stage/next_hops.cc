// SPDX-License-Identifier: BSD-3-Clause
// Next hops: resolution, confirmation, ageing.
#include "dataplane/stage/next_hops.h"

#include <algorithm>
#include <utility>

#include "dataplane/net/arp.h"

namespace sluice {

using net::DropReason;
using net::Fate;
using net::Verdict;
using State = Neighbour::State;

namespace {

uint16_t largest_frame(const InterfaceView& interface) {
  return static_cast<uint16_t>(interface.mtu + sizeof(net::EthernetHeader));
}

}  // namespace

// ---- what packets ask for -----------------------------------------------------------------------

Verdict NextHops::send_unresolved(const Snapshot& snapshot, rte_mbuf* packet,
                                  net::Ipv4Address destination, NextHop& hop, uint64_t now_ms,
                                  Share share) {
  if (hop.neighbour == Neighbours::kNone || neighbours_.generation(hop.neighbour) != hop.generation)
      [[unlikely]] {
    DropReason reason;
    const uint32_t index = resolve(snapshot, destination, share, now_ms, reason);
    if (index == Neighbours::kNone) return reason;
    hop = {index, neighbours_.generation(index)};
  }
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

Verdict NextHops::wait_for_answer(const Snapshot& snapshot, rte_mbuf* packet, uint32_t index,
                                  uint64_t now_ms, Share share) {
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

uint32_t NextHops::resolve(const Snapshot& snapshot, net::Ipv4Address destination, Share share,
                           uint64_t now_ms, DropReason& reason) {
  const Route* route = snapshot.v4.find_route(destination);
  if (route == nullptr) {
    reason = DropReason::no_route;
    return Neighbours::kNone;
  }
  const net::Ipv4Address link = route->via.raw == 0 ? destination : route->via;
  uint32_t index = neighbours_.find(link, route->interface);
  if (index == Neighbours::kNone) {
    index = make(link, route->interface, share, false, now_ms);
    if (index == Neighbours::kNone) {
      reason = DropReason::neighbour_table_full;
      return index;
    }
  }
  Neighbour& neighbour = neighbours_[index];
  neighbour.asking = route->source;
  // The interface's MTU may be another since the MAC was learnt.
  if (neighbour.has_mac())
    neighbour.frame_max = largest_frame(snapshot.interfaces[route->interface]);
  return index;
}

uint32_t NextHops::make(net::Ipv4Address ip, uint16_t interface, Share share, bool has_mac,
                        uint64_t now_ms) {
  const uint32_t victim = neighbours_.victim_for_new(share, has_mac, interface);
  if (victim != Neighbours::kNone) {
    counters_.count(Event::neighbours_evicted);
    remove(victim, DropReason::neighbour_evicted);
  }
  return neighbours_.create(ip, interface, share, now_ms);
}

void NextHops::assign(uint32_t index, Share share, uint64_t now_ms) {
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

void NextHops::wait_ended(uint32_t index, DropReason reason) {
  while (void* waiting = neighbours_.next_waiting(index)) {
    counters_.packets_waiting.subtract();
    tx_.drop(static_cast<rte_mbuf*>(waiting), reason);
  }
}

void NextHops::remove(uint32_t index, DropReason reason) {
  wait_ended(index, reason);
  neighbours_.remove(index);
}

// ---- asking -------------------------------------------------------------------------------------

void NextHops::begin_asking(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (neighbour.tries > 0) return;
  neighbour.tries = 1;
  neighbours_.timers().set(index, now_ms + Neighbours::kRetryMs);
  ask(snapshot, neighbour, net::kBroadcastMac);
}

bool NextHops::may_ask(const Neighbour& neighbour, uint64_t now_ms) {
  if (neighbour.share != Share::kStrangers) return true;
  Bucket& bucket = buckets_[neighbour.interface];
  const uint64_t filled = (now_ms - bucket.filled_ms) * kAsksPerMs;
  bucket.filled_ms = now_ms;
  bucket.tokens = static_cast<uint32_t>(std::min<uint64_t>(kAsksBurst, bucket.tokens + filled));
  if (bucket.tokens == 0) return false;
  --bucket.tokens;
  return true;
}

void NextHops::ask(const Snapshot& snapshot, const Neighbour& neighbour, net::MacAddress to) {
  rte_mbuf* packet = tx_.allocate(net::kArpFrameLength);
  if (packet == nullptr) return;
  const InterfaceView& interface = snapshot.interfaces[neighbour.interface];
  net::arp_request({rte_pktmbuf_mtod(packet, uint8_t*), net::kArpFrameLength}, interface.mac,
                   neighbour.asking, neighbour.ip, to);
  counters_.count(Event::arp_requests_sent);
  tx_.send(interface.port, packet);
}

uint32_t NextHops::confirm_interval_ms(const Neighbour& neighbour) const {
  constexpr uint32_t kMsANeighbour = 2;
  if (neighbour.share == Share::kConfigured) return kConfirmMs;
  return std::clamp(neighbours_.count() * kMsANeighbour, kConfirmOthersMs,
                    Neighbours::kReachableMs);
}

// ---- what is heard ------------------------------------------------------------------------------

void NextHops::learn(const Snapshot& snapshot, const net::ArpHeader& arp, uint16_t interface,
                     bool asks_for_us, bool counts, uint64_t now_ms) {
  if (arp.sender_ip.raw == 0) return;  // a probe for a duplicate (RFC 5227)
  uint32_t index = neighbours_.find(arp.sender_ip, interface);
  if (index == Neighbours::kNone) {
    // Only who is on a link of ours is worth an entry.
    const Route* route = asks_for_us ? snapshot.v4.find_route(arp.sender_ip) : nullptr;
    if (route == nullptr || route->via.raw != 0 || route->interface != interface) return;
    index = make(arp.sender_ip, interface, Share::kStrangers, true, now_ms);
    if (index == Neighbours::kNone) return;
    neighbours_[index].asking = route->source;
    neighbours_[index].used_ms = now_ms;
  }
  hear(snapshot, index, arp.sender_mac, counts, now_ms);
}

void NextHops::hear(const Snapshot& snapshot, uint32_t index, net::MacAddress mac, bool counts,
                    uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (!neighbour.has_mac()) {
    set_mac(snapshot, index, mac);
    return confirm(index, now_ms);
  }
  if (mac == neighbour.mac()) {
    if (neighbour.state == State::kPinned) return;
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
  if (neighbour.state != State::kContested) neighbour.claims = 0;
  if (counts && neighbour.claims < UINT16_MAX) ++neighbour.claims;
  contest(snapshot, index, mac, now_ms);
}

/// Somebody else claims the address: who is known is asked first.
void NextHops::contest(const Snapshot& snapshot, uint32_t index, net::MacAddress claimed,
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

void NextHops::ask_contested(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
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
    ask(snapshot, neighbour, net::kBroadcastMac);
    ++neighbour.tries;
  }
  neighbours_.timers().set(index, now_ms + kContestMs);
}

void NextHops::set_mac(const Snapshot& snapshot, uint32_t index, net::MacAddress mac) {
  Neighbour& neighbour = neighbours_[index];
  const InterfaceView& interface = snapshot.interfaces[neighbour.interface];
  neighbour.header = {mac, interface.mac, net::kEtherTypeIpv4};
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

void NextHops::confirm(uint32_t index, uint64_t now_ms) {
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

void NextHops::note_conflict(const Neighbour& neighbour, net::MacAddress claimed, uint64_t times) {
  if (times == 0) return;
  counters_.count(Event::arp_conflicts, times);
  conflicts_.note({neighbour.ip, neighbour.interface, false, neighbour.mac(), claimed, times});
}

void NextHops::note_own_conflict(const Snapshot& snapshot, const net::ArpHeader& arp,
                                 uint16_t interface) {
  const auto is_ours = [&](const InterfaceView& view) { return view.mac == arp.sender_mac; };
  if (std::ranges::any_of(snapshot.interfaces, is_ours)) return;  // it came back to us
  counters_.count(Event::address_conflicts);
  conflicts_.note(
      {arp.sender_ip, interface, true, snapshot.interfaces[interface].mac, arp.sender_mac, 1});
}

// ---- what time brings ---------------------------------------------------------------------------

void NextHops::tick(const Snapshot& snapshot, uint64_t now_ms) {
  constexpr uint32_t kBudget = 64;
  if (is_adopting()) adopt_more(snapshot, now_ms);
  if (link_ups_.interfaces != 0) ask_more_again(snapshot, now_ms);
  neighbours_.timers().advance(now_ms, kBudget,
                               [&](uint32_t index) { expire(snapshot, index, now_ms); });
}

void NextHops::expire(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
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

void NextHops::expire_reachable(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
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
void NextHops::probe(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
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
  ask(snapshot, neighbour, alone ? neighbour.mac() : net::kBroadcastMac);
  neighbours_.timers().set(index, now_ms + (alone ? kProbeMs : Neighbours::kRetryMs));
}

void NextHops::ask_again(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (neighbour.tries == Neighbours::kTries) {
    wait_ended(index, DropReason::neighbour_unreachable);
    neighbour.state = State::kUnreachable;
    neighbours_.timers().set(index, now_ms + Neighbours::kUnreachableMs);
    return;
  }
  ++neighbour.tries;
  neighbours_.timers().set(index, now_ms + Neighbours::kRetryMs);
  if (may_ask(neighbour, now_ms)) ask(snapshot, neighbour, net::kBroadcastMac);
}

}  // namespace sluice
