// SPDX-License-Identifier: BSD-3-Clause
// What every index of flows does: the same suite for each, and both at once against a map.
#include "dataplane/state/flow_index.h"

#include <rte_malloc.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "dataplane/state/compact_index.h"
#include "tests/stage/flow_indices.h"
#include "tests/unit/sanitized.h"

namespace sluice {
namespace {

constexpr uint32_t kNone = FlowIndex::kNone;

/// An index with the flows that it names, as FlowTable has them.
struct Indexed {
  Indexed(FlowIndexKind kind, uint32_t capacity, uint64_t seed = 1) : flows(capacity) {
    net::Random random({seed, 2});
    index = maker_of(kind).v4({{flows.data()}, capacity, random, std::pmr::get_default_resource()});
  }

  bool insert(uint32_t n, uint32_t flow) {
    flows[flow].key = key_of(n);
    return index->insert(key_of(n), flow);
  }
  void erase(uint32_t n, uint32_t flow) {
    index->erase(key_of(n), flow);
    flows[flow].key = {};
  }
  uint32_t find(uint32_t n) const { return index->find(key_of(n), index->hash(key_of(n))); }
  /// What the pipeline makes of a burst.
  std::vector<uint32_t> look_up(const std::vector<uint32_t>& numbers) const {
    FlowBurst burst;
    for (const uint32_t n : numbers) {
      const uint64_t hash = index->hash(key_of(n));
      index->prefetch(hash);
      burst.add(key_of(n), hash);
    }
    index->look_up(burst);
    std::vector<uint32_t> found;
    for (uint32_t i = 0; i < burst.count; ++i) {
      const uint32_t candidate = burst.candidates[i];
      const bool right = candidate != kNone && flows[candidate].key == burst.keys[i];
      found.push_back(right ? candidate : index->find(burst.keys[i], burst.hashes[i]));
      // "Surely none" has to be true.
      EXPECT_TRUE(candidate != kNone || found.back() == kNone) << numbers[i];
    }
    return found;
  }

  std::vector<Flow> flows;
  std::unique_ptr<FlowIndex> index;
};

struct FlowIndices : testing::TestWithParam<FlowIndexKind> {
  FlowIndexKind kind() const { return GetParam(); }
};

TEST_P(FlowIndices, AnEmptyOneFindsNothing) {
  const Indexed empty(kind(), 64);
  EXPECT_EQ(empty.find(1), kNone);
  for (const uint32_t size : {1u, 31u, 32u, 33u, 63u, 64u}) {
    std::vector<uint32_t> burst(size);
    for (uint32_t i = 0; i < size; ++i) burst[i] = i;
    EXPECT_EQ(empty.look_up(burst), std::vector<uint32_t>(size, kNone)) << size;
  }
}

TEST_P(FlowIndices, ABurstOfAnySizeNamesEachKeysFlow) {
  Indexed indexed(kind(), 200);
  for (uint32_t n = 0; n < 100; ++n) ASSERT_TRUE(indexed.insert(n, 199 - n));
  std::mt19937 random(1);
  for (uint32_t size = 1; size <= FlowBurst::kMax; ++size) {
    std::vector<uint32_t> burst(size), expected(size);
    for (uint32_t i = 0; i < size; ++i) {
      burst[i] = random() % 150;  // a third is unknown, some are there twice
      expected[i] = burst[i] < 100 ? 199 - burst[i] : kNone;
    }
    ASSERT_EQ(indexed.look_up(burst), expected) << size;
    ASSERT_EQ(indexed.look_up(std::vector<uint32_t>(size, 7)), std::vector<uint32_t>(size, 192))
        << "one key " << size << " times";
  }
}

TEST_P(FlowIndices, ErasingWhatIsNotThereChangesNothing) {
  Indexed indexed(kind(), 64);
  ASSERT_TRUE(indexed.insert(1, 10));
  indexed.index->erase(key_of(2), 10);
  indexed.index->erase(key_of(1), 11);
  EXPECT_EQ(indexed.find(1), 10u);
  indexed.erase(1, 10);
  indexed.erase(1, 10);
  EXPECT_EQ(indexed.find(1), kNone);
  ASSERT_TRUE(indexed.insert(1, 12));
  EXPECT_EQ(indexed.find(1), 12u);
}

// 2^k is where a hash table of buckets is most likely to be too small.
TEST_P(FlowIndices, FillsToTheVeryEndAtAnySize) {
  std::mt19937 random(5);
  for (const uint32_t size :
       {1u,    2u,    7u,    8u,    9u,     15u,    16u,    17u,    63u,   64u,
        65u,   100u,  1023u, 1024u, 1025u,  3583u,  3584u,  3585u,  4095u, 4096u,
        4097u, 7168u, 7169u, 8192u, 57344u, 57345u, 65535u, 65536u, 65537u}) {
    for (uint32_t round = 0; round < (size < 200 ? 200 : size < 10'000 ? 20 : 2); ++round) {
      Indexed indexed(kind(), size, random());
      const uint32_t first = random() % 1'000'000;
      for (uint32_t i = 0; i < size; ++i) {
        ASSERT_TRUE(indexed.insert(first + i, i)) << i << " of " << size;
      }
      for (uint32_t i = 0; i < size; ++i) ASSERT_EQ(indexed.find(first + i), i) << size;
      ASSERT_EQ(indexed.find(first + size), kNone);
    }
  }
}

TEST_P(FlowIndices, FillsAMillionOfFlows) {
  constexpr uint32_t kSize = 1u << 20;
  Indexed indexed(kind(), kSize);
  for (uint32_t i = 0; i < kSize; ++i) ASSERT_TRUE(indexed.insert(i, i)) << i;
  for (uint32_t i = 0; i < kSize; i += 77) ASSERT_EQ(indexed.find(i), i);
}

// A full one whose oldest flow always goes for a new one, at the load that is hardest to hold.
TEST_P(FlowIndices, StaysFullForLong) {
  for (const uint32_t size : {8u, 64u, 1000u, 28'672u}) {  // 7/8 of 2^15
    Indexed indexed(kind(), size);
    for (uint32_t n = 0; n < size; ++n) ASSERT_TRUE(indexed.insert(n, n));
    for (uint32_t n = size; n < 20 * size; ++n) {
      indexed.erase(n - size, n % size);
      ASSERT_TRUE(indexed.insert(n, n % size)) << n << " of " << size;
    }
    for (uint32_t n = 19 * size; n < 20 * size; ++n) ASSERT_EQ(indexed.find(n), n % size);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, FlowIndices, kEachIndex, index_name);

// ---- both against a map -----------------------------------------------------------------------

/// The same sequence of insertions, erasures and bursts for both indices and a map.
class Differential {
 public:
  Differential(uint32_t capacity, uint32_t keys, uint64_t seed)
      : random_(seed),
        keys_(keys),
        rte_hash_(FlowIndexKind::kRteHash, capacity, seed),
        compact_(FlowIndexKind::kCompact, capacity, seed) {
    for (uint32_t flow = 0; flow < capacity; ++flow) free_.push_back(flow);
    std::shuffle(free_.begin(), free_.end(), random_);
  }

  void insert(uint32_t n) {
    if (free_.empty() || flow_of_.contains(n)) return;
    const uint32_t flow = free_.back();
    free_.pop_back();
    ASSERT_TRUE(rte_hash_.insert(n, flow)) << flow_of_.size();
    ASSERT_TRUE(compact_.insert(n, flow)) << flow_of_.size();
    flow_of_[n] = flow;
  }
  void erase(uint32_t n) {
    const auto at = flow_of_.find(n);
    if (at == flow_of_.end()) return;
    rte_hash_.erase(n, at->second);
    compact_.erase(n, at->second);
    free_.push_back(at->second);
    flow_of_.erase(at);
  }
  void look_up(uint32_t size) {
    std::vector<uint32_t> burst(size), expected(size);
    for (uint32_t i = 0; i < size; ++i) {
      burst[i] = i > 0 && random_() % 4 == 0 ? burst[random_() % i] : random_() % keys_;
      const auto at = flow_of_.find(burst[i]);
      expected[i] = at == flow_of_.end() ? kNone : at->second;
    }
    ASSERT_EQ(rte_hash_.look_up(burst), expected);
    ASSERT_EQ(compact_.look_up(burst), expected);
  }
  bool is_full() const { return free_.empty(); }
  uint32_t draw(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  uint32_t any_key() { return draw(keys_); }

 private:
  std::mt19937_64 random_;
  uint32_t keys_;
  Indexed rte_hash_;
  Indexed compact_;
  std::map<uint32_t, uint32_t> flow_of_;
  std::vector<uint32_t> free_;
};

void play_at_random(Differential& pair, uint32_t rounds, uint32_t erasures_of_8) {
  for (uint32_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
    pair.draw(8) < erasures_of_8 ? pair.erase(pair.any_key()) : pair.insert(pair.any_key());
    if (round % 16 == 0) pair.look_up(1 + pair.draw(FlowBurst::kMax));
  }
}

TEST(FlowIndexPair, RandomSequencesEndTheSame) {
  for (const uint32_t capacity : {1u, 8u, 64u, 512u, 4096u}) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      Differential pair(capacity, 2 * capacity, seed);
      play_at_random(pair, test::rounds(40'000), 4);
    }
  }
}

TEST(FlowIndexPair, FillsEmptiesAndFillsAgain) {
  for (const uint32_t capacity : {8u, 65u, 4096u}) {
    Differential pair(capacity, 4 * capacity, capacity);
    for (int wave = 0; wave < 5 && !HasFailure(); ++wave) {
      while (!pair.is_full() && !HasFailure()) pair.insert(pair.any_key());
      play_at_random(pair, capacity, 4);
      for (uint32_t n = 0; n < 4 * capacity; ++n) {
        if (pair.draw(8) != 0) pair.erase(n);
      }
      play_at_random(pair, capacity, 5);
    }
  }
}

TEST(FlowIndexPair, OneKeyComesAndGoesInAFullTable) {
  Differential pair(64, 256, 9);
  for (uint32_t n = 0; n < 63; ++n) pair.insert(n);
  for (int turn = 0; turn < 10'000 && !HasFailure(); ++turn) {
    pair.insert(200);
    pair.erase(200);
    if (turn % 64 == 0) pair.look_up(64);
  }
}

// ---- memory ----------------------------------------------------------------------------------

TEST(RteHashIndex, BytesAreWhatIsTaken) {
  const auto taken = [] {
    size_t sum = 0;
    for (int socket = 0; socket < RTE_MAX_NUMA_NODES; ++socket) {
      rte_malloc_socket_stats stats;
      if (rte_malloc_get_socket_stats(socket, &stats) == 0) sum += stats.heap_allocsz_bytes;
    }
    return sum;
  };
  for (const uint32_t size : {64u, 4096u, 50'000u, 65'536u}) {
    const size_t before = taken();
    const Indexed indexed(FlowIndexKind::kRteHash, size);
    const size_t told = RteHashIndex::bytes(size);
    EXPECT_LE(taken() - before, told + 4096) << size;
    EXPECT_GE(taken() - before, told - 4096) << size;
  }
  EXPECT_EQ(taken(), taken());
  EXPECT_LE(RteHashIndex::bytes(1u << 20), 41u << 20) << "40 bytes a flow, the default";
}

TEST(RteHashIndex, SaysWhatItCouldNotHave) {
  EXPECT_THROW(RteHashTable<FlowKey>(1u << 24, 0), std::runtime_error);
}

}  // namespace
}  // namespace sluice
