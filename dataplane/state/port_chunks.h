// SPDX-License-Identifier: BSD-3-Clause
// The memory of port pools, in chunks: what is remembered of 256 ports.
//
// A pool gets its first chunk with itself, and each further one when a SYN first needs it. Workers
// do not allocate: the control thread keeps some chunks ready in a ring (one writer, one reader),
// and fills it up again many times a second. What a burst of first uses may take between two of
// these times is the reserve; where it is empty, or what ports may take in all is used up, pools
// go on with the ports that they have, and that is counted.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/state/counter.h"
#include "dataplane/state/kept_state.h"
#include "dataplane/state/time_wait.h"

namespace sluice {

/// What a packet on its way back needs of a port: apart from the rest, so that sixteen ports are
/// one cache line.
struct PortUse {
  static constexpr uint32_t kNoFlow = (1u << 24) - 1;
  enum class Place : uint8_t {
    kInUse,
    kAvailable,
    kTimeWait,
    kBag,  // UDP: has rested, see PortPool
  };

  uint32_t flow : 24 = kNoFlow;  // that uses the port, or used it last
  Place place : 2 = Place::kAvailable;
  PriorIncarnation::Kind kind : 2 =
      PriorIncarnation::Kind::kFresh;  // of the PriorIncarnation, like timestamps
  bool timestamps : 1 = false;
  bool touched : 1 = false;  // UDP, kBag: its backend was heard while it lay there
};

/// The rest of a PriorIncarnation, and the port's place in its FIFO.
struct PortRecord {
  static constexpr uint16_t kNone = UINT16_MAX;

  uint32_t closed_ms = 0;
  union {
    uint32_t rcv_nxt = 0;  // TCP
    uint32_t drawn;        // UDP: a port that may be drawn, see PortPool
  };
  uint32_t ts_recent = 0;
  uint16_t newer = kNone;  // towards the tail
  uint16_t older = kNone;  // towards the head
};
// There is one for each port that is used: it decides what flows cost.
static_assert(sizeof(PortUse) == 4 && sizeof(PortRecord) == 16);

struct alignas(64) PortChunk {
  static constexpr uint32_t kPorts = 256;

  PortUse uses[kPorts];
  PortRecord records[kPorts];
  // Whose they are, for another process: see kept_state.h.
  std::array<uint16_t, kPorts> ports{};  // 0: none
  PoolName pool;
  bool whole = false;  // a pool has it
};

class PortChunks {
 public:
  // A burst of first uses finds so many chunks at least, unless its pools cannot need them.
  static constexpr size_t kReserveMin = 1024;
  static constexpr size_t kReserveMax = 8192;
  static constexpr size_t kNoLimit = SIZE_MAX;

  explicit PortChunks(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : memory_(memory) {}
  PortChunks(const PortChunks&) = delete;
  PortChunks& operator=(const PortChunks&) = delete;
  ~PortChunks();

  // Control thread.
  /// Before the first chunk is made.
  void set_memory(std::pmr::memory_resource* memory) { memory_ = memory; }
  /// Where it is counted that a worker found the reserve empty; before the worker starts.
  void count_missed_in(Counter& missed) { missed_ = &missed; }
  /// A pool that may come to need `chunk_count` in all has come, or gone.
  void pool_made(size_t chunk_count);
  void pool_freed(size_t chunk_count);
  /// An unused chunk for a pool. Throws std::bad_alloc.
  PortChunk* make();
  /// One that its pool needs no more.
  void free(PortChunk* chunk);
  /// Fills the reserve up, as long as no more than `limit` chunks are out. Throws std::bad_alloc.
  void refill(size_t limit = kNoLimit);
  /// Chunks in pools and in the reserve; and those in the reserve.
  size_t count() const { return chunks_.size() - free_.size(); }
  size_t ready() const {
    return tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire);
  }

  // Worker.
  /// nullptr where the reserve is empty.
  PortChunk* take() {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) {
      missed_->add();
      return nullptr;
    }
    PortChunk* chunk = ring_[head % kReserveMax];
    head_.store(head + 1, std::memory_order_release);
    return chunk;
  }

 private:
  std::pmr::memory_resource* memory_;
  std::vector<PortChunk*> chunks_;  // all
  std::vector<PortChunk*> free_;    // those that are nowhere in use
  size_t pools_ = 0;
  size_t wanted_ = 0;  // chunks, if every pool used all of its ports
  Counter own_missed_;
  Counter* missed_ = &own_missed_;
  std::array<PortChunk*, kReserveMax> ring_;
  std::atomic<uint32_t> head_ = 0;  // the next to be taken
  std::atomic<uint32_t> tail_ = 0;
};

}  // namespace sluice
