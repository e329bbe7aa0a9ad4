// SPDX-License-Identifier: BSD-3-Clause
// Clients' SYNs as they came in (IP and TCP headers, IPv6's without extension headers), kept until
// their handshake is done.
//
// A heal sends one again. Bounded: when all slots are taken a connection goes on without, and a
// stale answer then waits for the client's own retransmission.
#pragma once

#include <array>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

namespace sluice {

class SynStore {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kBytesMax = 120;  // the longest headers: of IPv4

  SynStore(uint32_t slot_count, std::pmr::memory_resource* memory);
  static size_t bytes(uint32_t slot_count) {
    return slot_count * (sizeof(Slot) + sizeof(uint32_t));
  }

  /// Keeps the headers of a SYN; kNone when full or when they do not fit.
  uint32_t keep(std::span<const uint8_t> network, std::span<const uint8_t> tcp, uint32_t sent_us);
  std::span<const uint8_t> at(uint32_t slot) const {
    return {slots_[slot].bytes.data(), slots_[slot].length};
  }
  /// When it was first sent.
  uint32_t sent_us(uint32_t slot) const { return slots_[slot].sent_us; }
  /// Frees a slot; kNone is fine.
  void release(uint32_t slot);

  size_t slot_count() const { return slots_.size(); }
  size_t free_count() const { return free_.size(); }

 private:
  struct Slot {
    uint32_t sent_us;
    uint8_t length;
    std::array<uint8_t, kBytesMax> bytes;
  };
  static_assert(sizeof(Slot) == 128);
  std::pmr::vector<Slot> slots_;
  std::pmr::vector<uint32_t> free_;
};

}  // namespace sluice
