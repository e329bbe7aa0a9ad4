// SPDX-License-Identifier: BSD-3-Clause
// Slots for SYNs.
#include "dataplane/state/syn_store.h"

#include <algorithm>

namespace sluice {

SynStore::SynStore(uint32_t slot_count, std::pmr::memory_resource* memory)
    : slots_(slot_count, memory), free_(memory) {
  free_.reserve(slot_count);
  for (uint32_t i = slot_count; i > 0; --i) free_.push_back(i - 1);
}

uint32_t SynStore::keep(std::span<const uint8_t> network, std::span<const uint8_t> tcp,
                        uint32_t sent_us) {
  if (free_.empty() || network.size() + tcp.size() > kBytesMax) return kNone;
  const uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].sent_us = sent_us;
  slots_[slot].length = static_cast<uint8_t>(network.size() + tcp.size());
  const auto behind = std::copy(network.begin(), network.end(), slots_[slot].bytes.begin());
  std::copy(tcp.begin(), tcp.end(), behind);
  return slot;
}

void SynStore::release(uint32_t slot) {
  if (slot != kNone) free_.push_back(slot);
}

}  // namespace sluice
