// SPDX-License-Identifier: BSD-3-Clause
// Slots for SYNs.
#include "dataplane/state/syn_store.h"

#include <cstring>

namespace sluice {

SynStore::SynStore(uint32_t slot_count, std::pmr::memory_resource* memory)
    : slots_(slot_count, memory), free_(memory) {
  free_.reserve(slot_count);
  for (uint32_t i = slot_count; i > 0; --i) free_.push_back(i - 1);
}

uint32_t SynStore::keep(std::span<const uint8_t> headers, uint32_t sent_us) {
  if (free_.empty() || headers.size() > kBytesMax) return kNone;
  const uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].sent_us = sent_us;
  slots_[slot].length = static_cast<uint8_t>(headers.size());
  std::memcpy(slots_[slot].bytes.data(), headers.data(), headers.size());
  return slot;
}

void SynStore::release(uint32_t slot) {
  if (slot != kNone) free_.push_back(slot);
}

}  // namespace sluice
