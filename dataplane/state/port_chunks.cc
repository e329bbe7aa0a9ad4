// SPDX-License-Identifier: BSD-3-Clause
// Keeps the reserve of chunks full.
#include "dataplane/state/port_chunks.h"

#include <algorithm>
#include <new>

namespace sluice {

PortChunks::~PortChunks() {
  for (PortChunk* chunk : chunks_)
    memory_->deallocate(chunk, sizeof(PortChunk), alignof(PortChunk));
}

void PortChunks::pool_made(size_t chunk_count) {
  ++pools_;
  wanted_ += chunk_count;
}

void PortChunks::pool_freed(size_t chunk_count) {
  --pools_;
  wanted_ -= chunk_count;
}

PortChunk* PortChunks::make() {
  if (free_.empty()) {
    // free() then needs no memory, and what is made is not lost to a lack of it.
    if (chunks_.size() == chunks_.capacity()) chunks_.reserve(2 * chunks_.size() + 64);
    free_.reserve(chunks_.capacity());
    void* const room = memory_->allocate(sizeof(PortChunk), alignof(PortChunk));
    chunks_.push_back(new (room) PortChunk);
    return chunks_.back();
  }
  PortChunk* chunk = new (free_.back()) PortChunk;
  free_.pop_back();
  return chunk;
}

void PortChunks::free(PortChunk* chunk) {
  // It says whose it was until another has it: pools go at the end of the process, too, and what
  // their ports remember is for the next one. A pool that goes before has nothing to remember.
  free_.push_back(chunk);
}

void PortChunks::refill(size_t limit) {
  const size_t in_pools = count() - ready();
  const size_t needed = wanted_ - std::min(wanted_, in_pools);
  const size_t reserve = std::min(needed, std::clamp(pools_ / 4, kReserveMin, kReserveMax));
  for (uint32_t tail = tail_.load(std::memory_order_relaxed);
       ready() < reserve && count() < limit;) {
    ring_[tail % kReserveMax] = make();
    tail_.store(++tail, std::memory_order_release);
  }
}

}  // namespace sluice
