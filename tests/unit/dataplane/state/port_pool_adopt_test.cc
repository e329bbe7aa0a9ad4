// SPDX-License-Identifier: BSD-3-Clause
// Pools that begin with ports of a process before: every port once, whatever was adopted.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "dataplane/state/port_pool.h"

namespace sluice {
namespace {

constexpr ReuseRules kAdoptedRules{ReusePolicy::kNever, 60'000, 100};
constexpr uint32_t kNow = 1'000'000;
constexpr SynNumbers kLaterSyn{2000, 6000, true};

TEST(PortPoolAdoption, EveryPortIsGivenOnceWhateverWasAdopted) {
  std::mt19937 random(7);
  for (const uint32_t size : {1u, 255u, 256u, 257u, 1000u, 64'512u}) {
    for (const uint32_t adopted : {0u, 1u, 5u, size / 2, size}) {
      PortChunks chunks;
      net::Random order({random(), 0});
      const PortRange range{1000, static_cast<uint16_t>(999 + size)};
      PortPool pool(make_port_set(range, net::Random({5, 6})), order, chunks);
      std::set<uint16_t> held;
      uint32_t resting = 0;
      for (uint32_t i = 0; i < adopted; ++i) {
        const auto port = static_cast<uint16_t>(1000 + random() % size);
        if (i % 2 == 0) {
          const bool is_free = !held.contains(port);
          if (!is_free && !pool.in_use(port)) continue;  // flows come before what rests
          EXPECT_EQ(pool.adopt_in_use(port, i), is_free);
          held.insert(port);
          continue;
        }
        const PriorIncarnation prior{kNow - 100 - i % 1000, 1, 2, PriorIncarnation::Kind::kTimeWait,
                                     true};
        if (held.contains(port)) {
          EXPECT_FALSE(pool.adopt_resting(port, prior, PortPool::Place::kTimeWait));
        } else if (pool.adopt_resting(port, prior, PortPool::Place::kTimeWait)) {
          ++resting;
          held.insert(port);
        }
      }
      pool.end_adoption(kNow);
      const auto& counters = pool.counters();
      EXPECT_EQ(counters.time_wait.value(), resting);
      EXPECT_EQ(counters.available.value() + counters.in_use.value() + resting, size);
      uint32_t given = 0;
      chunks.refill();
      while (const auto taken = pool.take_unadjusted(kLaterSyn, kAdoptedRules, kNow)) {
        ASSERT_TRUE(held.insert(taken->port).second) << taken->port << " of " << size;
        ++given;
        if (given % 512 == 0) chunks.refill();
      }
      EXPECT_EQ(held.size(), size) << adopted;
      EXPECT_EQ(counters.available.value(), 0u);
    }
  }
}

TEST(PortPoolAdoption, TheOneThatRestedLongestComesFirst) {
  PortChunks chunks;
  net::Random order({1, 2});
  PortPool pool(make_port_set({1000, 1002}, net::Random({5, 6})), order, chunks);
  const auto rest = [&](uint16_t port, uint32_t age_ms) {
    pool.adopt_resting(port, {kNow - age_ms, 1, 2, PriorIncarnation::Kind::kTimeWait, true},
                       PortPool::Place::kTimeWait);
  };
  rest(1001, 20'000);
  rest(1002, 50'000);
  rest(1000, 30'000);
  pool.end_adoption(kNow);
  for (const uint16_t port : {1002, 1000, 1001}) {
    EXPECT_EQ(pool.take_unadjusted(kLaterSyn, kAdoptedRules, kNow + 60'000)->port, port);
  }
}

TEST(PortPoolAdoption, AChunkSaysWhosePortsItHas) {
  PortChunks chunks;
  net::Random order({1, 2});
  const PoolName name{net::Protocol::kUdp, net::Ipv4Address::from_host(1), {}};
  PortChunk* first = nullptr;
  {
    PortPool pool(make_port_set({1000, 1002}, net::Random({5, 6})), order, chunks, name);
    const auto taken = pool.take_unadjusted(kLaterSyn, kAdoptedRules, kNow);
    first = reinterpret_cast<PortChunk*>(
        const_cast<PortUse*>(pool.find(taken->port) - pool.set().find(taken->port)));
    EXPECT_TRUE(first->whole);
    EXPECT_EQ(first->pool, name);
    EXPECT_EQ(first->ports[pool.set().find(taken->port)], taken->port);
  }
  EXPECT_TRUE(first->whole) << "the process may end with the pool";
  EXPECT_FALSE(chunks.make()->whole) << "another has it";
}

}  // namespace
}  // namespace sluice
