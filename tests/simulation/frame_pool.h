// SPDX-License-Identifier: BSD-3-Clause
// Frames in flight: preallocated, handed about by number.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "tests/simulation/segment.h"

namespace sluice::sim {

using FrameId = uint32_t;

class FramePool {
 public:
  FrameId take() {
    if (free_.empty()) grow();
    const FrameId id = free_.back();
    free_.pop_back();
    return id;
  }

  void give(FrameId id) { free_.push_back(id); }

  FrameId copy(std::span<const uint8_t> bytes) {
    const FrameId id = take();
    resize(id, static_cast<unsigned>(bytes.size()));
    std::memcpy(data(id), bytes.data(), bytes.size());
    return id;
  }

  uint8_t* data(FrameId id) { return at(id).bytes; }
  void resize(FrameId id, unsigned size) { at(id).size = static_cast<uint16_t>(size); }
  std::span<const uint8_t> view(FrameId id) { return {at(id).bytes, at(id).size}; }

 private:
  static constexpr unsigned kChunk = 4096;

  struct Frame {
    uint16_t size = 0;
    uint8_t bytes[kFrameSizeMax] = {};
  };

  Frame& at(FrameId id) { return chunks_[id / kChunk][id % kChunk]; }

  // By chunks, so that a frame under someone's eyes never moves.
  void grow() {
    const auto first = static_cast<FrameId>(chunks_.size() * kChunk);
    chunks_.push_back(std::make_unique<Frame[]>(kChunk));
    for (unsigned i = kChunk; i > 0; i--) free_.push_back(first + i - 1);
  }

  std::vector<std::unique_ptr<Frame[]>> chunks_;
  std::vector<FrameId> free_;
};

}  // namespace sluice::sim
