// SPDX-License-Identifier: BSD-3-Clause
// The newest WhyRecords of a worker, in a ring of fixed size.
//
// A flood must not push out what happened ten minutes ago. So each cause has a share of its own, an
// eighth of the ring, which comes back within kKeptMs: of what one cause brings beyond it, entries
// are left out. Up to four causes in flood at once take no entry away before it is kKeptMs old.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "dataplane/state/counter.h"
#include "dataplane/state/why_record.h"

namespace sluice {

class WhyRing {
 public:
  static constexpr uint64_t kKeptMs = 600'000;
  static constexpr uint32_t kCauseShare = 8;

  /// Of 0 records it keeps none.
  WhyRing(uint32_t record_count_max, std::pmr::memory_resource* memory)
      : records_(record_count_max, memory) {}
  WhyRing(const WhyRing&) = delete;
  WhyRing& operator=(const WhyRing&) = delete;

  static size_t bytes(uint32_t record_count_max) { return record_count_max * sizeof(WhyRecord); }

  /// The record to fill, or nullptr where this cause has used up its share.
  WhyRecord* next(bool is_drop, uint8_t cause, uint64_t now_ms) {
    if (records_.empty() || !take(shares_[is_drop ? cause : kDrops + cause], now_ms)) {
      return nullptr;
    }
    WhyRecord& record = records_[written_++ % records_.size()];
    kept_.set(std::min<uint64_t>(written_, records_.size()));
    return &record;
  }

  /// Any thread.
  uint64_t kept() const { return kept_.value(); }

  /// How many were written since the start; the newest has the number one less.
  uint64_t written() const { return written_; }
  uint64_t oldest() const { return written_ - kept(); }
  const WhyRecord& operator[](uint64_t number) const { return records_[number % records_.size()]; }

 private:
  static constexpr size_t kDrops = net::kDropReasonCount;

  // What a cause has used, and is given back as time passes: in records by kKeptMs.
  struct Share {
    uint64_t used = 0;
    uint64_t at_ms = 0;
    uint64_t none_before_ms = 0;  // so that a flood costs a comparison each
  };

  bool take(Share& share, uint64_t now_ms) {
    if (now_ms < share.none_before_ms) return false;
    const uint64_t records = std::max<uint64_t>(1, records_.size() / kCauseShare);
    const uint64_t rested_ms = std::min(now_ms - share.at_ms, kKeptMs);
    share.used -= std::min(share.used, rested_ms * records);
    share.at_ms = now_ms;
    if (share.used + kKeptMs > records * kKeptMs) {
      const uint64_t missing = share.used + kKeptMs - records * kKeptMs;
      share.none_before_ms = now_ms + (missing + records - 1) / records;
      return false;
    }
    share.used += kKeptMs;
    return true;
  }

  std::pmr::vector<WhyRecord> records_;
  uint64_t written_ = 0;
  Counter kept_;
  std::array<Share, kDrops + kFlowEndCount + 1> shares_{};  // the last one: of what was healed
};

}  // namespace sluice
