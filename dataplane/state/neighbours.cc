// SPDX-License-Identifier: BSD-3-Clause
// The neighbour table's look-up and queues.
#include "dataplane/state/neighbours.h"

#include <bit>

namespace sluice {

Neighbours::Neighbours(uint32_t capacity, uint64_t now_ms, std::pmr::memory_resource* memory)
    : entries_(capacity, memory),
      free_(memory),
      buckets_(std::bit_ceil(size_t{capacity} * 2), kNone, memory),
      waiting_(kWaitingMax, memory),
      waiting_free_(0),
      timers_(&entries_[0].timer, sizeof(Neighbour), capacity, now_ms) {
  free_.reserve(capacity);
  for (uint32_t i = capacity; i > 0; --i) free_.push_back(i - 1);
  for (uint32_t i = 0; i < kWaitingMax; ++i) waiting_[i].next = i + 1 < kWaitingMax ? i + 1 : kNone;
}

uint32_t Neighbours::bucket_of(net::Ipv4Address ip, uint16_t interface) const {
  // Fibonacci hashing: link addresses differ in their low bits.
  const uint64_t key = (uint64_t{interface} << 32 | ip.host()) * 0x9e3779b97f4a7c15;
  return static_cast<uint32_t>(key >> 32) & static_cast<uint32_t>(buckets_.size() - 1);
}

uint32_t Neighbours::find(net::Ipv4Address ip, uint16_t interface) const {
  const auto mask = static_cast<uint32_t>(buckets_.size() - 1);
  for (uint32_t b = bucket_of(ip, interface);; b = (b + 1) & mask) {
    const uint32_t index = buckets_[b];
    if (index == kNone) return kNone;
    if (entries_[index].ip == ip && entries_[index].interface == interface) return index;
  }
}

uint32_t Neighbours::create(net::Ipv4Address ip, uint16_t interface) {
  if (free_.empty()) return kNone;
  const uint32_t index = free_.back();
  free_.pop_back();
  const uint32_t generation = entries_[index].generation + 1;
  entries_[index] = Neighbour{};
  entries_[index].ip = ip;
  entries_[index].interface = interface;
  entries_[index].generation = generation;
  entries_[index].state = Neighbour::State::kResolving;
  const auto mask = static_cast<uint32_t>(buckets_.size() - 1);
  uint32_t b = bucket_of(ip, interface);
  while (buckets_[b] != kNone) b = (b + 1) & mask;
  buckets_[b] = index;
  return index;
}

void Neighbours::remove(uint32_t index) {
  const auto mask = static_cast<uint32_t>(buckets_.size() - 1);
  uint32_t hole = bucket_of(entries_[index].ip, entries_[index].interface);
  while (buckets_[hole] != index) hole = (hole + 1) & mask;
  // Close the gap: what probed past the hole moves back into it.
  for (uint32_t b = (hole + 1) & mask; buckets_[b] != kNone; b = (b + 1) & mask) {
    const Neighbour& n = entries_[buckets_[b]];
    const uint32_t home = bucket_of(n.ip, n.interface);
    if (((b - home) & mask) >= ((b - hole) & mask)) {
      buckets_[hole] = buckets_[b];
      hole = b;
    }
  }
  buckets_[hole] = kNone;
  timers_.cancel(index);
  entries_[index].state = Neighbour::State::kFree;
  ++entries_[index].generation;
  free_.push_back(index);
}

bool Neighbours::wait(uint32_t index, void* packet) {
  Neighbour& n = entries_[index];
  if (n.waiting_count == kWaitingPerNeighbour || waiting_free_ == kNone) return false;
  const uint32_t slot = waiting_free_;
  waiting_free_ = waiting_[slot].next;
  waiting_[slot] = {packet, kNone};
  (n.waiting_count == 0 ? n.waiting_oldest : waiting_[n.waiting_newest].next) = slot;
  n.waiting_newest = slot;
  ++n.waiting_count;
  return true;
}

void* Neighbours::next_waiting(uint32_t index) {
  Neighbour& n = entries_[index];
  if (n.waiting_count == 0) return nullptr;
  const uint32_t slot = n.waiting_oldest;
  n.waiting_oldest = waiting_[slot].next;
  --n.waiting_count;
  void* packet = waiting_[slot].packet;
  waiting_[slot].next = waiting_free_;
  waiting_free_ = slot;
  return packet;
}

}  // namespace sluice
