// SPDX-License-Identifier: BSD-3-Clause
// The neighbour table's look-up, shares and queues.
#include "dataplane/state/neighbours.h"

#include <algorithm>

namespace sluice {

template <class Address>
NeighboursOf<Address>::NeighboursOf(uint32_t capacity, uint64_t now_ms,
                                    std::pmr::memory_resource* memory, uint64_t hash_key)
    : entries_(capacity, memory),
      free_(memory),
      numbers_(hash_key | 1, capacity, memory),
      waiting_(kWaitingMax, memory),
      waiting_free_(0),
      hash_key_(hash_key | 1),
      timers_(&entries_[0].timer, sizeof(Neighbour), capacity, now_ms) {
  free_.reserve(capacity);
  for (uint32_t i = capacity; i > 0; --i) free_.push_back(i - 1);
  for (uint32_t i = 0; i < kWaitingMax; ++i) waiting_[i].next = i + 1 < kWaitingMax ? i + 1 : kNone;
}

template <class Address>
uint32_t NeighboursOf<Address>::create(const Address& ip, uint16_t interface, Share share,
                                       uint64_t now_ms) {
  if (free_.empty()) return kNone;
  const uint32_t index = free_.back();
  free_.pop_back();
  const uint32_t generation = entries_[index].generation + 1;
  Neighbour& entry = entries_[index];
  entry = Neighbour{};
  entry.ip = ip;
  entry.interface = interface;
  entry.generation = generation;
  entry.state = NeighbourKinds::State::kResolving;
  entry.share = share;
  link(index, list_of(entry), now_ms);
  numbers_.set({ip, 0, interface}, index);
  return index;
}

template <class Address>
void NeighboursOf<Address>::remove(uint32_t index) {
  numbers_.erase({entries_[index].ip, 0, entries_[index].interface});
  timers_.cancel(index);
  unlink(index);
  entries_[index].state = NeighbourKinds::State::kFree;
  ++entries_[index].generation;
  free_.push_back(index);
}

template <class Address>
uint8_t NeighboursOf<Address>::list_of(const Neighbour& entry) const {
  if (entry.share == Share::kConfigured) return kConfiguredList;
  if (entry.share == Share::kFlows) return kFlowsList;
  if (entry.has_mac()) return kStrangersList;
  return static_cast<uint8_t>(kUnansweredList + entry.interface);
}

template <class Address>
void NeighboursOf<Address>::link(uint32_t index, uint8_t list, uint64_t now_ms) {
  List& to = lists_[list];
  Neighbour& entry = entries_[index];
  entry.list = list;
  entry.queued_ms = now_ms;
  entry.older = to.newest;
  entry.newer = kNone;
  (to.newest == kNone ? to.oldest : entries_[to.newest].newer) = index;
  to.newest = index;
  ++to.count;
  unanswered_count_ += list >= kUnansweredList;
}

template <class Address>
void NeighboursOf<Address>::unlink(uint32_t index) {
  Neighbour& entry = entries_[index];
  List& from = lists_[entry.list];
  (entry.older == kNone ? from.oldest : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? from.newest : entries_[entry.newer].older) = entry.older;
  --from.count;
  unanswered_count_ -= entry.list >= kUnansweredList;
}

template <class Address>
void NeighboursOf<Address>::assign(uint32_t index, Share share, uint64_t now_ms) {
  Neighbour& entry = entries_[index];
  entry.share = share;
  const uint8_t list = list_of(entry);
  if (list == entry.list) return;
  unlink(index);
  link(index, list, now_ms);
}

/// Whoever was used since it was queued goes to the end of the queue, or to the share of flows
/// where a flow used it: a bounded number of them, then the oldest has to go.
template <class Address>
uint32_t NeighboursOf<Address>::oldest_of(uint8_t list) {
  constexpr int kSecondChances = 16;
  for (int i = 0; i < kSecondChances; ++i) {
    const uint32_t index = lists_[list].oldest;
    if (index == kNone) return kNone;
    const Neighbour& entry = entries_[index];
    if (list == kStrangersList && entry.flow_used_ms != 0) {
      assign(index, Share::kFlows, entry.flow_used_ms);
      continue;
    }
    if (list >= kUnansweredList || entry.last_used_ms() <= entry.queued_ms) return index;
    const uint64_t used_ms = entry.last_used_ms();
    unlink(index);
    link(index, list, used_ms);
  }
  const uint32_t index = lists_[list].oldest;
  if (index == kNone) return kNone;
  const bool kept = list == kStrangersList && entries_[index].flow_used_ms != 0;
  return kept ? kNone : index;
}

template <class Address>
uint32_t NeighboursOf<Address>::oldest_unanswered() {
  for (uint8_t list = kUnansweredList; list < kLists; ++list) {
    if (lists_[list].oldest != kNone) return lists_[list].oldest;
  }
  return kNone;
}

template <class Address>
uint32_t NeighboursOf<Address>::unanswered_max() const {
  constexpr uint32_t kLeast = 8;  // of a small table
  return std::max(capacity() / 16, std::min(kLeast, strangers_max()));
}

template <class Address>
uint32_t NeighboursOf<Address>::victim_among_strangers(bool has_mac, uint16_t interface) {
  if (has_mac) {
    return lists_[kStrangersList].count >= strangers_max() ? oldest_of(kStrangersList) : kNone;
  }
  const auto own = static_cast<uint8_t>(kUnansweredList + interface);
  if (lists_[own].count >= unanswered_max()) return oldest_of(own);
  return unanswered_count_ >= strangers_max() ? oldest_unanswered() : kNone;
}

template <class Address>
uint32_t NeighboursOf<Address>::victim_for_new(Share share, bool has_mac, uint16_t interface) {
  if (share == Share::kStrangers) {
    const uint32_t index = victim_among_strangers(has_mac, interface);
    if (index != kNone) return index;
  }
  if (!free_.empty()) return kNone;
  // Strangers make way for each other and for flows, flows for each other where they have more than
  // their half, everybody for what is configured.
  if (const uint32_t index = oldest_of(kStrangersList); index != kNone) return index;
  if (const uint32_t index = oldest_unanswered(); index != kNone) return index;
  const bool kept = lists_[kFlowsList].count + lists_[kConfiguredList].count <= capacity() / 2;
  return share == Share::kStrangers && kept ? kNone : oldest_of(kFlowsList);
}

template <class Address>
uint32_t NeighboursOf<Address>::count(Share share) const {
  if (share == Share::kConfigured) return lists_[kConfiguredList].count;
  if (share == Share::kFlows) return lists_[kFlowsList].count;
  return lists_[kStrangersList].count + unanswered_count_;
}

template <class Address>
bool NeighboursOf<Address>::wait(uint32_t index, void* packet) {
  Neighbour& n = entries_[index];
  const bool stranger = n.share == Share::kStrangers;
  if (n.waiting_count >= (stranger ? kWaitingPerStranger : kWaitingPerNeighbour)) return false;
  if (waiting_free_ == kNone || (stranger && waiting_count_ >= kWaitingMax / 2)) return false;
  const uint32_t slot = waiting_free_;
  waiting_free_ = waiting_[slot].next;
  waiting_[slot] = {packet, kNone};
  (n.waiting_count == 0 ? n.waiting_oldest : waiting_[n.waiting_newest].next) = slot;
  n.waiting_newest = slot;
  ++n.waiting_count;
  ++waiting_count_;
  return true;
}

template <class Address>
void* NeighboursOf<Address>::next_waiting(uint32_t index) {
  Neighbour& n = entries_[index];
  if (n.waiting_count == 0) return nullptr;
  const uint32_t slot = n.waiting_oldest;
  n.waiting_oldest = waiting_[slot].next;
  --n.waiting_count;
  --waiting_count_;
  void* packet = waiting_[slot].packet;
  waiting_[slot].next = waiting_free_;
  waiting_free_ = slot;
  return packet;
}

template class NeighboursOf<net::Ipv4Address>;
template class NeighboursOf<net::Ipv6Address>;

}  // namespace sluice
