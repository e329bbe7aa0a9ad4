// SPDX-License-Identifier: BSD-3-Clause
// Ports that a process before this one has used.
//
// They are anywhere in the order of first use. So that a pool still knows by a number which ports
// are used, and takes the others without a search, whole chunks are adopted: all ports of a chunk
// count as used, and the order of chunks is changed so that these come first. A chunk of fewer
// ports than others stands behind all that are adopted, or behind all that are not.
#include <algorithm>
#include <vector>

#include "dataplane/state/port_pool.h"

namespace sluice {

uint32_t PortPool::ports_in(size_t chunk) const {
  return std::min(kChunkPorts, set_->size() - static_cast<uint32_t>(chunk) * kChunkPorts);
}

/// The number of a port whose chunk has memory from then on; kNone where that cannot be.
uint16_t PortPool::adopted_index(uint16_t port) {
  const uint16_t index = set_->find(port);
  if (index == kNone) return kNone;
  const size_t chunk = index / kChunkPorts;
  if (!has_memory(chunk)) {
    try {
      give_memory(chunk, source_.make());
    } catch (const std::bad_alloc&) {
      return kNone;
    }
  }
  if (adopted_ == nullptr) adopted_ = std::make_unique<std::bitset<kChunksMax>>();
  adopted_->set(chunk);
  return index;
}

bool PortPool::adopt_in_use(uint16_t port, uint32_t flow) {
  const uint16_t index = adopted_index(port);
  if (index == kNone) return false;
  Use& use = use_at(index);
  if (use.place == Place::kInUse) return false;
  use.place = Place::kInUse;
  use.flow = flow;
  counters_.in_use.add();
  counters_.peak.raise_to(counters_.in_use.value());
  return true;
}

bool PortPool::adopt_resting(uint16_t port, const PriorIncarnation& prior, Place place) {
  const uint16_t index = adopted_index(port);
  if (index == kNone || is_adopted(index)) return false;
  remember(index, prior);
  use_at(index).place = place;
  return true;
}

/// What a port has without that is how ports without a past are.
bool PortPool::is_adopted(uint16_t index) const {
  const Use& use = use_at(index);
  return use.place != Place::kAvailable || use.kind != PriorIncarnation::Kind::kFresh;
}

void PortPool::adopt_late(uint16_t port, uint32_t flow) {
  const uint16_t index = set_->find(port);
  if (index == kNone || !has_memory(index / kChunkPorts)) return;
  Use& use = use_at(index);
  if (use.place != Place::kInUse) use.flow = flow;
}

void PortPool::end_adoption(uint32_t now_ms) {
  if (adopted_ == nullptr) return;
  order_chunks();
  adopted_.reset();
  counters_.available.subtract(order_->port_count);
  fresh_left_ -= order_->port_count;
  std::vector<uint16_t> resting;
  for (uint32_t n = 0; n < order_->port_count; ++n) {
    const uint16_t index = number_after(n);
    if (use_at(index).place == Place::kInUse) continue;
    if (!is_adopted(index)) {
      record(index).closed_ms = now_ms - kStampOldestMs;
      push(index, Place::kAvailable);
    } else {
      resting.push_back(index);
    }
  }
  std::ranges::sort(resting, std::greater(),
                    [&](uint16_t index) { return stamp_age_ms(now_ms, record(index).closed_ms); });
  for (const uint16_t index : resting) push(index, use_at(index).place);
}

void PortPool::order_chunks() {
  auto order = std::make_unique<ChunkOrder>();
  const size_t count = chunks_of(set_->size());
  uint32_t at = 0;
  const auto place = [&](size_t chunk) {
    order->place_of[chunk] = static_cast<uint8_t>(at);
    order->chunk_at[at++] = static_cast<uint8_t>(chunk);
  };
  for (size_t chunk = 0; chunk < count; ++chunk) {
    if (!adopted_->test(chunk)) continue;
    place(chunk);
    order->port_count += ports_in(chunk);
  }
  order->adopted_count = at;
  order->lacking = at * kChunkPorts - order->port_count;
  for (size_t i = 0, first = first_ / kChunkPorts; i < count; ++i) {
    const size_t chunk = (first + i) % count;
    if (!adopted_->test(chunk) && ports_in(chunk) == kChunkPorts) place(chunk);
  }
  if (count > 0 && !adopted_->test(count - 1) && ports_in(count - 1) < kChunkPorts) {
    place(count - 1);
  }
  order_ = std::move(order);
}

uint16_t PortPool::adopted_number(uint32_t n) const {
  if (n >= order_->port_count) n += order_->lacking;
  return static_cast<uint16_t>(order_->chunk_at[n / kChunkPorts] * kChunkPorts + n % kChunkPorts);
}

bool PortPool::adopted_was_used(uint16_t index) const {
  const uint32_t place = order_->place_of[index / kChunkPorts];
  if (place < order_->adopted_count) return true;
  return place * kChunkPorts + index % kChunkPorts - order_->lacking < used_count();
}

}  // namespace sluice
