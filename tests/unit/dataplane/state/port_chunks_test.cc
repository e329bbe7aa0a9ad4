// SPDX-License-Identifier: BSD-3-Clause
// Memory of port pools: taken as ports are used, from a reserve; and a pool that gets none.
#include "dataplane/state/port_chunks.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <vector>

#include "dataplane/state/port_pool.h"

namespace sluice {
namespace {

constexpr ReuseRules kRules{ReusePolicy::kRebase, 60'000, 100};
constexpr SynNumbers kSyn{2000, 6000, true};

class PortMemory : public testing::Test {
 protected:
  std::unique_ptr<PortPool> make_pool() {
    return std::make_unique<PortPool>(ports_, random_, chunks_);
  }
  /// How many ports can be taken that were never used.
  static uint32_t take_fresh(PortPool& pool, uint32_t max = 70'000) {
    uint32_t count = 0;
    while (count < max) {
      const auto taken = pool.take_unadjusted(kSyn, kRules, 0);
      if (!taken) break;
      EXPECT_EQ(taken->reuse, PortReuse::kFresh);
      ++count;
    }
    return count;
  }

  // All pools have the same ports: a set of their own each would cost more than all that is tested.
  const std::shared_ptr<const PortSet> ports_ = make_port_set({1024, 65535}, net::Random({1, 2}));
  net::Random random_{{3, 4}};
  PortChunks chunks_;
};

TEST_F(PortMemory, APoolHasOneChunkAndTakesFurtherOnesAsPortsAreUsed) {
  const auto pool = make_pool();
  EXPECT_EQ(chunks_.count(), 1u);
  chunks_.refill();
  EXPECT_EQ(chunks_.ready(), 251u) << "no more than its ports can need";
  EXPECT_EQ(take_fresh(*pool, 100), 100u);
  EXPECT_EQ(pool->counters().chunks.value(), 1u);
  EXPECT_EQ(take_fresh(*pool, 256), 256u);
  EXPECT_LE(pool->counters().chunks.value(), 3u);
  EXPECT_EQ(take_fresh(*pool), 64512u - 356u);
  EXPECT_EQ(pool->counters().chunks.value(), 252u);
  EXPECT_EQ(chunks_.ready(), 0u);
}

TEST_F(PortMemory, WithoutMorePortsAreUsedAgainAndThatIsCounted) {
  Counter missed;
  chunks_.count_missed_in(missed);
  const auto pool = make_pool();
  const uint32_t count = take_fresh(*pool);
  EXPECT_GE(count, PortChunk::kPorts / 2);
  EXPECT_LE(count, PortChunk::kPorts);
  EXPECT_EQ(missed.value(), 1u);
  std::set<uint16_t> in_use;
  for (uint32_t port = 1024; port < 65536; ++port) {
    if (pool->in_use(static_cast<uint16_t>(port))) in_use.insert(static_cast<uint16_t>(port));
  }
  EXPECT_EQ(in_use.size(), count);
  const uint16_t port = *in_use.begin();
  pool->give_back(port, {0, 1, 2, PriorIncarnation::Kind::kAvailable, true}, 7);
  const auto again = pool->take_unadjusted(kSyn, kRules, 100);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->port, port);
  EXPECT_EQ(again->reuse, PortReuse::kAvailable);
  EXPECT_EQ(again->old_flow, 7u);
  EXPECT_FALSE(pool->take_unadjusted(kSyn, kRules, 100));
  chunks_.refill();
  EXPECT_EQ(pool->take_unadjusted(kSyn, kRules, 100)->reuse, PortReuse::kFresh);
}

TEST_F(PortMemory, OfAPortThatWasNeverUsedNothingIsKnown) {
  const auto pool = make_pool();
  for (uint32_t port = 1024; port < 65536; ++port) {
    const auto at = static_cast<uint16_t>(port);
    ASSERT_NE(pool->find(at), nullptr);
    ASSERT_EQ(pool->find(at)->flow, PortPool::kNoFlow);
    ASSERT_FALSE(pool->in_use(at));
    ASSERT_EQ(pool->prior(at).kind, PriorIncarnation::Kind::kFresh);
    pool->forget_flow(at, 5);
    pool->touch(at, {1, 2, 3, PriorIncarnation::Kind::kTimeWait, true});
  }
  EXPECT_EQ(pool->find(1023), nullptr);
  EXPECT_EQ(pool->counters().available.value(), 64512u);
  EXPECT_EQ(chunks_.count(), 1u);
}

TEST_F(PortMemory, TheLimitHoldsAndWhatAPoolLeavesServesOthers) {
  std::vector<std::unique_ptr<PortPool>> pools;
  for (int i = 0; i < 10; ++i) pools.push_back(make_pool());
  chunks_.refill(30);
  EXPECT_EQ(chunks_.count(), 30u);
  EXPECT_EQ(chunks_.ready(), 20u);
  take_fresh(*pools[0]);
  EXPECT_EQ(chunks_.ready(), 0u);
  chunks_.refill(30);
  EXPECT_EQ(chunks_.ready(), 0u);
  pools.erase(pools.begin());
  EXPECT_EQ(chunks_.count(), 9u);
  chunks_.refill(30);
  EXPECT_EQ(chunks_.ready(), 21u);
  EXPECT_GT(take_fresh(*pools[0]), 20 * PortChunk::kPorts);
}

TEST_F(PortMemory, TheReserveGrowsWithThePools) {
  std::vector<std::unique_ptr<PortPool>> pools;
  for (int i = 0; i < 8; ++i) pools.push_back(make_pool());
  chunks_.refill();
  EXPECT_EQ(chunks_.ready(), PortChunks::kReserveMin);
  while (pools.size() < 6000) pools.push_back(make_pool());
  chunks_.refill();
  EXPECT_EQ(chunks_.ready(), 1500u);
}

TEST_F(PortMemory, SmallAndEmptySets) {
  for (const uint32_t size : {1u, 16u, 255u, 256u, 257u, 300u, 512u}) {
    PortChunks chunks;
    const PortRange range{1000, static_cast<uint16_t>(999 + size)};
    PortPool pool(make_port_set(range, net::Random({1, size})), random_, chunks);
    chunks.refill();
    EXPECT_EQ(take_fresh(pool), size);
    EXPECT_EQ(pool.counters().chunks.value(), PortPool::chunks_of(size));
  }
  PortChunks chunks;
  PortPool none(std::make_shared<const PortSet>(std::vector<uint16_t>{}, net::Random({1, 1})),
                random_, chunks);
  EXPECT_FALSE(none.take_unadjusted(kSyn, kRules, 0));
  EXPECT_EQ(none.find(80), nullptr);
  EXPECT_EQ(chunks.count(), 0u);
}

}  // namespace
}  // namespace sluice
