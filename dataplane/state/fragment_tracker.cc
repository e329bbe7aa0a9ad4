// SPDX-License-Identifier: BSD-3-Clause
// Ranges of datagrams.
#include "dataplane/state/fragment_tracker.h"

#include <algorithm>

namespace sluice {

FragmentTracker::FragmentTracker(uint32_t fragment_count_max, uint64_t factor,
                                 std::pmr::memory_resource* memory)
    : fragment_count_max_(fragment_count_max),
      entries_(fragment_count_max, memory),
      index_(factor, fragment_count_max, memory) {
  for (uint32_t i = 0; i < fragment_count_max; ++i) {
    entries_[i].newer = i + 1 == fragment_count_max ? kNone : i + 1;
  }
}

size_t FragmentTracker::bytes(uint32_t fragment_count_max) {
  return fragment_count_max * sizeof(Datagram) + FlatMap<FragmentKey>::bytes(fragment_count_max);
}

uint64_t FragmentTracker::next_stamp(uint64_t now_ms) {
  return stamp_ = std::max(stamp_ + 1, now_ms << kStampBits);
}

uint32_t FragmentTracker::expire(uint64_t stamp) {
  uint32_t fragments = 0;
  while (oldest_ != kNone && entries_[oldest_].begun + kTimeout < stamp) {
    fragments += entries_[oldest_].count;
    forget(oldest_);
  }
  return fragments;
}

FragmentTracker::Evicted FragmentTracker::evict_oldest() {
  const Evicted evicted{entries_[oldest_].begun, entries_[oldest_].count};
  forget(oldest_);
  return evicted;
}

uint32_t FragmentTracker::begin(const FragmentKey& key, uint64_t stamp) {
  const uint32_t index = free_;
  Datagram& datagram = entries_[index];
  free_ = datagram.newer;
  datagram = {};
  datagram.key = key;
  datagram.begun = stamp;
  datagram.older = newest_;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = index;
  newest_ = index;
  index_.set(key, index);
  ++datagrams_;
  return index;
}

void FragmentTracker::forget(uint32_t index) {
  Datagram& datagram = entries_[index];
  index_.erase(datagram.key);
  (datagram.older == kNone ? oldest_ : entries_[datagram.older].newer) = datagram.newer;
  (datagram.newer == kNone ? newest_ : entries_[datagram.newer].older) = datagram.older;
  held_ -= datagram.count;
  --datagrams_;
  datagram.newer = free_;
  free_ = index;
}

FragmentTracker::Judgement FragmentTracker::judge(const Datagram& datagram, const Piece& piece) {
  if (datagram.lost) return datagram.why;
  const uint32_t end = uint32_t{piece.offset} + piece.length;
  for (uint8_t i = 0; i < datagram.count; ++i) {
    const Piece& other = datagram.pieces[i];
    if (other.protocol != piece.protocol) return Judgement::kBad;
    if (other.offset == piece.offset && other.length == piece.length && other.more == piece.more) {
      return Judgement::kDuplicate;
    }
    const uint32_t other_end = uint32_t{other.offset} + other.length;
    if (piece.offset < other_end && other.offset < end) return Judgement::kOverlap;
    if (!piece.more && other_end > end) return Judgement::kBad;
  }
  if (datagram.end != 0 && (!piece.more || end > datagram.end)) return Judgement::kBad;
  const bool between = piece.offset != 0 && piece.more;
  return between && datagram.between == kBetweenMax ? Judgement::kTooMany : Judgement::kStore;
}

FragmentTracker::Answer FragmentTracker::add(const FragmentKey& key, const Piece& piece,
                                             uint64_t stamp) {
  uint32_t index = index_.find(key);
  if (index == kNone) index = begin(key, stamp);
  Datagram& datagram = entries_[index];
  const Judgement judgement = judge(datagram, piece);
  if (judgement != Judgement::kStore) {
    datagram.lost |= judgement != Judgement::kDuplicate;
    if (judgement != Judgement::kDuplicate) datagram.why = judgement;
    return {judgement};
  }
  datagram.pieces[datagram.count++] = piece;
  if (piece.offset != 0 && piece.more) ++datagram.between;
  datagram.sum += piece.length;
  datagram.largest = std::max(datagram.largest, piece.packet_length);
  if (!piece.more) datagram.end = uint32_t{piece.offset} + piece.length;
  ++held_;
  if (datagram.sum != datagram.end) return {Judgement::kStore};
  const uint16_t largest = datagram.largest;
  forget(index);
  return {Judgement::kCompletes, largest};
}

}  // namespace sluice
