// SPDX-License-Identifier: BSD-3-Clause
// Next hops that the configuration names: taken over from snapshots, kept, and asked again when
// their link comes up.
#include "dataplane/stage/next_hops.h"

namespace sluice {

using net::DropReason;

namespace {

constexpr uint32_t kAskedAtOnce = 64;  // the others a tick later

// A part that takes about as long as a burst, and what is done in it.
constexpr uint32_t kPart = 256;
constexpr uint32_t kNamed = 4, kLookedAt = 1;

}  // namespace

template <class Address>
void NextHopsOf<Address>::adopt(const Snapshot& snapshot, uint64_t now_ms) {
  neighbours_.new_generations();
  asked_at_once_ = 0;
  ++adoption_.network;
  next_step(Adoption::Step::kPinned);
  adopt_more(snapshot, now_ms);
}

template <class Address>
void NextHopsOf<Address>::adopt_more(const Snapshot& snapshot, uint64_t now_ms) {
  for (uint32_t cost = 0; cost < kPart && is_adopting();) cost += adopt_next(snapshot, now_ms);
}

/// Takes one next hop over, and says what that cost.
template <class Address>
uint32_t NextHopsOf<Address>::adopt_next(const Snapshot& snapshot, uint64_t now_ms) {
  using Step = typename Adoption::Step;
  uint32_t& outer = adoption_.outer;
  switch (adoption_.step) {
    case Step::kPinned: {
      if (outer >= snapshot.interfaces.size()) return next_step(Step::kGateways), kLookedAt;
      const auto& pinned = snapshot.interfaces[outer].template of<Address>().pinned;
      if (adoption_.inner >= pinned.size()) break;
      pin(snapshot, static_cast<uint16_t>(outer), pinned[adoption_.inner++], now_ms);
      return kNamed;
    }
    case Step::kGateways: {
      const auto& routes = snapshot.of<Address>().routes;
      if (outer >= routes.size()) return next_step(Step::kBackends), kLookedAt;
      const RouteOf<Address>& route = routes[outer];
      if (Protocol::is_none(route.via)) break;
      // On the route's own link: a link-local address may stand on several.
      keep_entry(snapshot, resolve_on(snapshot, route, route.via, Share::kConfigured, now_ms),
                 now_ms);
      return ++outer, kNamed;
    }
    case Step::kBackends: {
      if (outer >= snapshot.services.size()) return next_step(Step::kForget), kLookedAt;
      const auto& backends = snapshot.services[outer].backends;
      if (adoption_.inner >= backends.size()) break;
      const net::IpAddress& ip = backends[adoption_.inner++].address.ip;
      if (Protocol::has(ip)) keep(snapshot, Protocol::narrow(ip), now_ms);
      return kNamed;
    }
    case Step::kForget:
      if (outer >= neighbours_.capacity()) return next_step(Step::kDone), kLookedAt;
      forget(outer, now_ms);
      break;
    case Step::kDone:
      break;
  }
  ++outer;
  adoption_.inner = 0;
  return kLookedAt;
}

/// Where an entry is configured no more, it ages from now on.
template <class Address>
void NextHopsOf<Address>::forget(uint32_t index, uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  const bool configured = neighbour.state != State::kFree && neighbour.share == Share::kConfigured;
  if (!configured || neighbour.named == adoption_.network) return;
  if (neighbour.state == State::kPinned) neighbour.state = State::kReachable;
  neighbours_.assign(index, Share::kFlows, now_ms);
  if (!neighbours_.timers().is_set(index)) neighbours_.timers().set(index, now_ms + kConfirmMs);
}

template <class Address>
void NextHopsOf<Address>::prepare(const Snapshot& snapshot, AddressIn destination,
                                  uint64_t now_ms) {
  asked_at_once_ = 0;
  keep(snapshot, destination, now_ms);
}

template <class Address>
void NextHopsOf<Address>::keep(const Snapshot& snapshot, AddressIn destination, uint64_t now_ms) {
  DropReason unused;
  keep_entry(snapshot, resolve(snapshot, destination, Share::kConfigured, now_ms, unused), now_ms);
}

template <class Address>
void NextHopsOf<Address>::keep_entry(const Snapshot& snapshot, uint32_t index, uint64_t now_ms) {
  if (index == Neighbours::kNone) return;
  Neighbour& neighbour = neighbours_[index];
  assign(index, Share::kConfigured, now_ms);
  if (neighbour.state == State::kPinned && neighbour.named != adoption_.network) {
    neighbour.state = State::kReachable;
    neighbours_.timers().set(index, now_ms + kConfirmMs);
  }
  neighbour.named = adoption_.network;
  if (neighbour.state != State::kResolving || neighbour.tries > 0) return;
  neighbour.used_ms = now_ms;
  begin_asking_later(snapshot, index, now_ms);
}

template <class Address>
void NextHopsOf<Address>::pin(const Snapshot& snapshot, uint16_t interface,
                              const PinnedNeighbourOf<Address>& pinned, uint64_t now_ms) {
  uint32_t index = neighbours_.find(pinned.ip, interface);
  if (index == Neighbours::kNone) {
    index = make(pinned.ip, interface, Share::kConfigured, true, now_ms);
    if (index == Neighbours::kNone) return;
  }
  assign(index, Share::kConfigured, now_ms);
  neighbours_.timers().cancel(index);
  set_mac(snapshot, index, pinned.mac);
  neighbours_[index].state = State::kPinned;
  neighbours_[index].named = adoption_.network;
}

/// Of many at a time not all ask at once.
template <class Address>
void NextHopsOf<Address>::begin_asking_later(const Snapshot& snapshot, uint32_t index,
                                             uint64_t now_ms) {
  const uint32_t number = asked_at_once_++;
  if (number < kAskedAtOnce) return begin_asking(snapshot, index, now_ms);
  neighbours_.timers().set(index, now_ms + number / kAskedAtOnce * TimerWheel::kTickMs);
}

template <class Address>
void NextHopsOf<Address>::link_came_up(const Snapshot& snapshot, uint16_t interface,
                                       uint64_t now_ms) {
  asked_at_once_ = 0;
  // What was under way for another link begins anew: to be asked twice does no harm.
  link_ups_ = {link_ups_.interfaces | 1u << interface, 0};
  ask_more_again(snapshot, now_ms);
}

template <class Address>
void NextHopsOf<Address>::ask_more_again(const Snapshot& snapshot, uint64_t now_ms) {
  for (uint32_t cost = 0; cost < kPart && link_ups_.next < neighbours_.capacity();) {
    cost += ask_again_later(snapshot, link_ups_.next++, now_ms) ? kNamed : kLookedAt;
  }
  if (link_ups_.next == neighbours_.capacity()) link_ups_ = {};
}

/// False, and nothing done, where it is no next hop of these links.
template <class Address>
bool NextHopsOf<Address>::ask_again_later(const Snapshot& snapshot, uint32_t index,
                                          uint64_t now_ms) {
  Neighbour& neighbour = neighbours_[index];
  if (neighbour.state == State::kFree || neighbour.state == State::kPinned ||
      neighbour.share != Share::kConfigured ||
      (link_ups_.interfaces >> neighbour.interface & 1) == 0) {
    return false;
  }
  neighbour.tries = 0;
  neighbour.used_ms = now_ms;
  if (!neighbour.has_mac()) {
    neighbour.state = State::kResolving;
    begin_asking_later(snapshot, index, now_ms);
    return true;
  }
  neighbour.state = State::kProbing;
  neighbour.silent_since_ms = now_ms;
  neighbours_.timers().set(index, now_ms + asked_at_once_++ / kAskedAtOnce * TimerWheel::kTickMs);
  return true;
}

// What next_hops.cc and others call.
#define SLUICE_INSTANTIATE(Address)                                                     \
  template void NextHopsOf<Address>::adopt(const Snapshot&, uint64_t);                  \
  template void NextHopsOf<Address>::adopt_more(const Snapshot&, uint64_t);             \
  template void NextHopsOf<Address>::prepare(const Snapshot&, AddressIn, uint64_t);     \
  template void NextHopsOf<Address>::link_came_up(const Snapshot&, uint16_t, uint64_t); \
  template void NextHopsOf<Address>::ask_more_again(const Snapshot&, uint64_t);
SLUICE_INSTANTIATE(net::Ipv4Address)
SLUICE_INSTANTIATE(net::Ipv6Address)
#undef SLUICE_INSTANTIATE

}  // namespace sluice
