// SPDX-License-Identifier: BSD-3-Clause
// The flow table on each index: every entry usable, every flow found, against a map.
#include "dataplane/state/flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/stage/flow_indices.h"

namespace sluice {
namespace {

struct Table : FlowTable {
  Table(FlowIndexKind kind, uint32_t size, uint64_t seed = 1)
      : Table(kind, size, net::Random({seed, 0})) {}
  Table(FlowIndexKind kind, uint32_t size, net::Random random)
      : FlowTable(size, random, std::pmr::get_default_resource(), maker_of(kind)) {}

  uint32_t add(uint32_t n) {
    const uint32_t index = allocate();
    if (index == kNone) return kNone;
    (*this)[index].key = key_of(n);
    EXPECT_TRUE(publish(index)) << n;
    commit(index);
    return index;
  }
};

struct FlowTables : testing::TestWithParam<FlowIndexKind> {};

TEST_P(FlowTables, FillsToTheVeryLastEntryWithAnySeed) {
  std::mt19937 random(18);
  for (const uint32_t size : {1u, 4u, 5u, 64u, 1000u, 4096u, 65536u}) {
    for (int turn = 0; turn < (size > 5000 ? 1 : 4); ++turn) {
      Table table(GetParam(), size, random());
      for (uint32_t n = 0; n < size; ++n) {
        ASSERT_NE(table.add(n), FlowTable::kNone) << n << " of " << size;
      }
      EXPECT_EQ(table.flow_count(), size);
      EXPECT_EQ(table.allocate(), FlowTable::kNone);
      for (uint32_t n = 0; n < size; ++n) {
        const uint32_t index = table.find(key_of(n));
        ASSERT_NE(index, FlowTable::kNone);
        ASSERT_EQ(table[index].key, key_of(n));
        FlowBurst burst;
        burst.add(key_of(n), table.index().hash(key_of(n)));
        table.index().look_up(burst);
        ASSERT_NE(burst.candidates[0], FlowTable::kNone);
      }
      EXPECT_EQ(table.find(key_of(size)), FlowTable::kNone);
      for (uint32_t n = 0; n < size; ++n) table.erase(table.find(key_of(n)));
      EXPECT_EQ(table.flow_count(), 0u);
      for (uint32_t n = 0; n < size; ++n) {
        ASSERT_NE(table.add(n + size), FlowTable::kNone) << "full once more";
      }
    }
  }
}

TEST_P(FlowTables, AllocatedEntriesAreZero) {
  Table table(GetParam(), 4);
  const uint32_t index = table.add(1);
  table[index].adjust = {1, 2};
  table[index].heal_attempts = 3;
  table.push_closed(index);
  table.erase(index);
  EXPECT_FALSE(table[index].live);
  const uint32_t again = table.allocate();
  ASSERT_EQ(again, index);
  EXPECT_FALSE(table[again].live);
  EXPECT_FALSE(table[again].adjust.any());
  EXPECT_EQ(table[again].heal_attempts, 0);
  EXPECT_FALSE(table[again].closed_listed);
}

TEST_P(FlowTables, AnEntryThatWasNeverPublishedGoesToo) {
  Table table(GetParam(), 4);
  const uint32_t known = table.add(1);
  const uint32_t index = table.allocate();
  table[index].key = key_of(1);
  table.erase(index);
  EXPECT_EQ(table.find(key_of(1)), known);
  EXPECT_EQ(table.flow_count(), 1u);
}

// Where all keys fall into one bucket it spills over, and what it spilled comes back.
TEST_P(FlowTables, ChainsGrowAndShrink) {
  Table table(GetParam(), 9);  // one home bucket
  for (int round = 0; round < 100; ++round) {
    for (uint32_t n = 0; n < 9; ++n) ASSERT_NE(table.add(n), FlowTable::kNone);
    for (uint32_t n = 0; n < 9; ++n) table.erase(table.find(key_of(n)));
  }
  Table large(GetParam(), 100'000);
  std::mt19937 random(3);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t n = 0; n < 100'000; ++n) ASSERT_NE(large.add(n), FlowTable::kNone);
    std::vector<uint32_t> order(100'000);
    for (uint32_t n = 0; n < 100'000; ++n) order[n] = n;
    std::shuffle(order.begin(), order.end(), random);
    for (const uint32_t n : order) large.erase(large.find(key_of(n)));
    ASSERT_EQ(large.flow_count(), 0u);
  }
}

// A full table whose oldest flow always goes for a new one must not run out of buckets.
TEST_P(FlowTables, StaysFullForLong) {
  constexpr uint32_t kSize = 40'000;
  Table table(GetParam(), kSize);
  for (uint32_t n = 0; n < kSize; ++n) ASSERT_NE(table.add(n), FlowTable::kNone);
  for (uint32_t n = kSize; n < 20 * kSize; ++n) {
    table.erase(table.find(key_of(n - kSize)));
    table.add(n);
    if (HasFailure()) return;
  }
}

TEST(FlowTable, BytesAreWhatIsTaken) {
  struct Counting : std::pmr::memory_resource {
    size_t taken = 0;
    void* do_allocate(size_t bytes, size_t alignment) override {
      taken += bytes;
      return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* p, size_t bytes, size_t alignment) override {
      std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override {
      return this == &other;
    }
  } memory;
  net::Random random({1, 2});
  const FlowTable table(100'000, random, &memory);
  EXPECT_EQ(memory.taken, FlowTable::bytes(100'000) + CompactIndex::bytes(100'000));
  EXPECT_LE(CompactIndex::bytes(10'000'000), 10'000'000u * 8);
}

TEST_P(FlowTables, OverListIsByAgeWhoeverLeavesIt) {
  for (const uint32_t leaves : {0u, 1u, 2u, 3u}) {
    Table table(GetParam(), 8);
    uint32_t index[4];
    for (uint32_t n = 0; n < 4; ++n) index[n] = table.add(n);
    EXPECT_EQ(table.oldest_closed(), FlowTable::kNone);
    for (const uint32_t i : index) table.push_closed(i);
    table.erase(index[leaves]);
    for (uint32_t n = 0; n < 4; ++n) {
      if (n == leaves) continue;
      ASSERT_EQ(table.oldest_closed(), index[n]);
      table.erase(index[n]);
    }
    EXPECT_EQ(table.oldest_closed(), FlowTable::kNone);
    table.push_closed(table.add(9));
    EXPECT_NE(table.oldest_closed(), FlowTable::kNone) << "usable when it was empty";
  }
}

TEST_P(FlowTables, AgainstAMap) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    std::mt19937 random(seed);
    Table table(GetParam(), 200, random());
    std::map<uint32_t, uint32_t> index_of;  // by client number
    for (int round = 0; round < 50'000; ++round) {
      const uint32_t n = random() % 400;
      const auto at = index_of.find(n);
      if (at == index_of.end()) {
        const uint32_t index = table.add(n);
        ASSERT_EQ(index == FlowTable::kNone, index_of.size() == 200);
        if (index != FlowTable::kNone) index_of[n] = index;
      } else {
        if (random() % 2 == 0) table.push_closed(at->second);
        table.erase(at->second);
        index_of.erase(at);
      }
      ASSERT_EQ(table.flow_count(), index_of.size());
      const uint32_t probe = random() % 400;
      const auto found = index_of.find(probe);
      ASSERT_EQ(table.find(key_of(probe)),
                found == index_of.end() ? FlowTable::kNone : found->second);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, FlowTables, kEachIndex, index_name);

}  // namespace
}  // namespace sluice
