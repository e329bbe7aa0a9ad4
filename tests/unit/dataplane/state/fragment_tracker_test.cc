// SPDX-License-Identifier: BSD-3-Clause
// Datagrams of any fragments in any order, against a model that marks bytes; and the bounds.
#include "dataplane/state/fragment_tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace sluice {
namespace {

using Judgement = FragmentTracker::Judgement;
using Piece = FragmentTracker::Piece;

FragmentKey key(uint32_t id) {
  return {net::be32::from_host(1), net::be32::from_host(2), net::be32::from_host(id)};
}
Piece piece(uint16_t offset, uint16_t length, bool more) {
  return {offset, length, more, 17, static_cast<uint16_t>(length + 20)};
}

class TrackerTest : public testing::Test {
 protected:
  Judgement add(uint32_t id, const Piece& one) {
    return tracker_.add(key(id), one, tracker_.next_stamp(now_ms_)).judgement;
  }
  FragmentTracker tracker_{64, 3};
  uint64_t now_ms_ = 1000;
};

TEST_F(TrackerTest, AnyOrderCompletesOnce) {
  std::vector<Piece> pieces = {piece(0, 16, true), piece(16, 8, true), piece(24, 40, true),
                               piece(64, 5, false)};
  std::vector<size_t> order = {0, 1, 2, 3};
  uint32_t id = 0;
  do {
    ++id;
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(add(id, pieces[order[i]]), Judgement::kStore);
    EXPECT_EQ(tracker_.held(), 3u);
    const auto last = tracker_.add(key(id), pieces[order[3]], tracker_.next_stamp(now_ms_));
    EXPECT_EQ(last.judgement, Judgement::kCompletes);
    EXPECT_EQ(last.largest, 60);
    EXPECT_EQ(tracker_.held(), 0u);
    EXPECT_EQ(tracker_.datagrams(), 0u);
  } while (std::ranges::next_permutation(order).found);
}

TEST_F(TrackerTest, WhatSpoilsADatagramSpoilsItForGood) {
  EXPECT_EQ(add(1, piece(0, 16, true)), Judgement::kStore);
  EXPECT_EQ(add(1, piece(8, 16, true)), Judgement::kOverlap);
  EXPECT_EQ(add(1, piece(16, 16, false)), Judgement::kOverlap);
  EXPECT_EQ(add(2, piece(16, 16, false)), Judgement::kStore);
  EXPECT_EQ(add(2, piece(32, 16, true)), Judgement::kBad) << "beyond the end";
  EXPECT_EQ(add(3, piece(32, 16, true)), Judgement::kStore);
  EXPECT_EQ(add(3, piece(0, 16, false)), Judgement::kBad) << "an end before what is there";
  EXPECT_EQ(add(4, piece(16, 16, false)), Judgement::kStore);
  EXPECT_EQ(add(4, piece(0, 8, false)), Judgement::kBad) << "a second end";
  Piece tcp = piece(16, 16, false);
  tcp.protocol = 6;
  EXPECT_EQ(add(5, piece(0, 16, true)), Judgement::kStore);
  EXPECT_EQ(add(5, tcp), Judgement::kBad);
}

TEST_F(TrackerTest, ACopyChangesNothing) {
  EXPECT_EQ(add(1, piece(0, 16, true)), Judgement::kStore);
  EXPECT_EQ(add(1, piece(0, 16, true)), Judgement::kDuplicate);
  EXPECT_EQ(tracker_.held(), 1u);
  EXPECT_EQ(add(1, piece(16, 1, false)), Judgement::kCompletes);
}

TEST_F(TrackerTest, SixBetweenTheFirstAndTheLast) {
  for (uint16_t i = 1; i <= 6; ++i) {
    EXPECT_EQ(add(1, piece(static_cast<uint16_t>(8 * i), 8, true)), Judgement::kStore);
  }
  EXPECT_EQ(add(1, piece(56, 8, true)), Judgement::kTooMany);
  EXPECT_EQ(add(1, piece(0, 8, true)), Judgement::kTooMany);
}

TEST_F(TrackerTest, TimeAndRoomEndTheOldestFirst) {
  for (uint32_t id = 0; id < 64; ++id) {
    now_ms_ = 1000 + id;
    EXPECT_EQ(add(id, piece(0, 8, true)), Judgement::kStore);
  }
  EXPECT_TRUE(tracker_.is_full());
  EXPECT_EQ(tracker_.evict_oldest().fragments, 1u);
  EXPECT_FALSE(tracker_.is_full());
  EXPECT_EQ(add(0, piece(8, 8, false)), Judgement::kStore) << "it was forgotten";
  EXPECT_EQ(tracker_.expire(tracker_.next_stamp(1000 + FragmentTracker::kTimeoutMs + 3)), 2u);
  EXPECT_EQ(tracker_.datagrams(), 62u);
  EXPECT_EQ(tracker_.expire(tracker_.next_stamp(9000)), 62u);
  EXPECT_EQ(tracker_.held(), 0u);
}

TEST_F(TrackerTest, StampsGrowWhateverTheClockDoes) {
  const uint64_t first = tracker_.next_stamp(5);
  EXPECT_GT(tracker_.next_stamp(5), first);
  EXPECT_GT(tracker_.next_stamp(4), first);
  EXPECT_EQ(tracker_.next_stamp(7), 7ull << FragmentTracker::kStampBits);
}

/// Byte by byte: what was judged good covers no byte twice, and all of them when it is whole.
TEST_F(TrackerTest, AsAModelThatMarksBytes) {
  std::mt19937 random(7);
  const auto below = [&](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  for (uint32_t id = 0; id < 20'000; ++id) {
    std::vector<int> marks(128, 0);
    size_t end = 0;
    bool lost = false;
    for (int step = 0; step < 6; ++step) {
      const auto offset = static_cast<uint16_t>(8 * below(6));
      const auto length = static_cast<uint16_t>(8 + 8 * below(3));
      const bool more = below(3) != 0 || offset == 0;
      const Judgement judgement = add(id, piece(offset, length, more));
      if (judgement == Judgement::kDuplicate) continue;
      const bool stored = judgement == Judgement::kStore || judgement == Judgement::kCompletes;
      EXPECT_FALSE(lost && stored);
      lost |= !stored;
      if (!stored) continue;
      for (size_t i = offset; i < size_t{offset} + length; ++i) EXPECT_EQ(marks[i]++, 0);
      if (!more) end = size_t{offset} + length;
      const auto covered = static_cast<size_t>(std::ranges::count(marks, 1));
      EXPECT_EQ(judgement == Judgement::kCompletes, end != 0 && covered == end);
      if (judgement == Judgement::kCompletes) break;
    }
    while (tracker_.held() > 32) static_cast<void>(tracker_.evict_oldest());
  }
}

}  // namespace
}  // namespace sluice
