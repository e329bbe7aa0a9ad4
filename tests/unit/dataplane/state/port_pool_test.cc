// SPDX-License-Identifier: BSD-3-Clause
// The port pool by hand: rests, policies, and what a tuple left behind.
#include "dataplane/state/port_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <vector>

namespace sluice {
namespace {

constexpr uint32_t kTimeWaitMs = 60'000;
constexpr uint32_t kGuard = 100;
constexpr ReuseRules kNever{ReusePolicy::kNever, kTimeWaitMs, kGuard};
constexpr ReuseRules kNatural{ReusePolicy::kNatural, kTimeWaitMs, kGuard};
constexpr ReuseRules kRebase{ReusePolicy::kRebase, kTimeWaitMs, kGuard};
constexpr ReuseRules kEvery[] = {kNever, kNatural, kRebase};

PriorIncarnation held(uint32_t now, uint32_t sequence = 1000, uint32_t tsval = 5000) {
  return {now, sequence, tsval, PriorIncarnation::Kind::kTimeWait, true};
}
PriorIncarnation clean(uint32_t now) {
  return {now, 1000, 5000, PriorIncarnation::Kind::kAvailable, true};
}
constexpr SynNumbers kNewer{2000, 6000, true};
constexpr SynNumbers kOlder{500, 4000, true};

constexpr net::Random kPoolOrder({5, 6});

struct Chunks {
  std::unique_ptr<PortChunks> chunks;
};

struct Pool : private Chunks, public PortPool {
  explicit Pool(uint32_t size, uint64_t seed = 1)
      : Pool(PortRange{1000, static_cast<uint16_t>(999 + size)}, net::Random({seed, 0})) {}
  Pool(PortRange range, net::Random random) : Pool(std::make_unique<PortChunks>(), range, random) {
    take_all_memory();
  }
  uint16_t take_one(const ReuseRules& rules, uint32_t now, const SynNumbers& syn = kNewer) {
    const auto taken = take_unadjusted(syn, rules, now);
    return taken ? taken->port : uint16_t{0};
  }

 private:
  Pool(std::unique_ptr<PortChunks> made, PortRange range, net::Random random)
      : Chunks{std::move(made)}, PortPool(make_port_set(range, kPoolOrder), random, *chunks) {}
};

TEST(PortPool, GivesEveryPortOfItsRangeOnce) {
  const PortRange ranges[] = {{1, 1}, {65535, 65535}, {1000, 1015}, {1024, 65535}, {1, 65535}};
  for (const PortRange range : ranges) {
    Pool pool(range, net::Random({1, 2}));
    std::set<uint16_t> seen;
    for (uint32_t i = 0; i < range.size(); ++i) {
      const auto taken = pool.take_unadjusted(kNewer, kNever, 0);
      ASSERT_TRUE(taken);
      ASSERT_EQ(taken->reuse, PortReuse::kFresh);
      ASSERT_EQ(taken->old_flow, PortPool::kNoFlow);
      ASSERT_FALSE(taken->adjust.any());
      ASSERT_TRUE(pool.in_use(taken->port));
      seen.insert(taken->port);
    }
    EXPECT_EQ(seen.size(), range.size());
    EXPECT_EQ(*seen.begin(), range.first);
    EXPECT_EQ(*seen.rbegin(), range.last);
    net::Random random({3, 4});
    for (const ReuseRules& rules : kEvery)
      EXPECT_FALSE(pool.take_unadjusted(kNewer, rules, 1'000'000));
    EXPECT_FALSE(pool.take_adjusted(kNewer, random)) << "a port in use is never given again";
    EXPECT_EQ(pool.counters().in_use.value(), range.size());
    EXPECT_EQ(pool.counters().fresh.value(), range.size());
  }
}

TEST(PortPool, FirstOrderIsRandomAndOfTheKey) {
  const auto order = [](uint64_t seed) {
    Pool pool(1000, seed);
    std::vector<uint16_t> ports;
    for (int i = 0; i < 1000; ++i) ports.push_back(pool.take_one(kNever, 0));
    return ports;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  int ascending = 0;
  const auto ports = order(3);
  for (size_t i = 1; i < ports.size(); ++i) ascending += ports[i] > ports[i - 1];
  EXPECT_NEAR(ascending, 500, 60);
}

TEST(PortPool, ACleanPortRestsItsGuard) {
  for (const ReuseRules& rules : kEvery) {
    Pool pool(1);
    const uint16_t port = pool.take_one(rules, 0);
    pool.give_back(port, clean(5000), PortPool::kNoFlow);
    EXPECT_FALSE(pool.in_use(port));
    EXPECT_FALSE(pool.take_unadjusted(kNewer, rules, 5000));
    EXPECT_FALSE(pool.take_unadjusted(kNewer, rules, 5099));
    const auto taken = pool.take_unadjusted(kOlder, rules, 5100);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->reuse, PortReuse::kAvailable);
  }
}

TEST(PortPool, AHeldPortRestsTimeWaitOut) {
  for (const ReuseRules& rules : kEvery) {
    Pool pool(1);
    const uint16_t port = pool.take_one(rules, 0);
    pool.give_back(port, held(5000), PortPool::kNoFlow);
    EXPECT_FALSE(pool.take_unadjusted(kOlder, rules, 64'999));
    const auto taken = pool.take_unadjusted(kOlder, rules, 65'000);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->reuse, PortReuse::kRested);
  }
}

TEST(PortPool, RestsAreRightWhenTheClockWraps) {
  Pool pool(2);
  const uint16_t a = pool.take_one(kNever, 0), b = pool.take_one(kNever, 0);
  pool.give_back(a, clean(0xffffffd0), PortPool::kNoFlow);
  EXPECT_FALSE(pool.take_unadjusted(kNewer, kNever, 0x33));
  EXPECT_EQ(pool.take_one(kNever, 0x34), a);
  pool.give_back(b, held(0xffffff00), PortPool::kNoFlow);
  EXPECT_FALSE(pool.take_unadjusted(kOlder, kNever, kTimeWaitMs - 0x101));
  EXPECT_EQ(pool.take_one(kNever, kTimeWaitMs - 0x100, kOlder), b);
}

TEST(PortPool, WhatEachPolicyAllowsInTimeWait) {
  struct Row {
    const char* name;
    SynNumbers syn;
    bool never, natural, rebase_as_it_is;
  };
  const Row rows[] = {
      {"newer in both", kNewer, false, true, true},
      {"Linux takes it by its timestamp, FreeBSD would not", {500, 6000, true}, false, true, false},
      {"newer sequence, equal TSval", {2000, 5000, true}, false, true, true},
      {"older in both", kOlder, false, false, false},
      {"PAWS", {2000, 4000, true}, false, false, false},
      {"no timestamp, newer", {2000, 0, false}, false, true, true},
      {"no timestamp, older", {500, 0, false}, false, false, false},
  };
  for (const Row& row : rows) {
    for (const ReuseRules& rules : kEvery) {
      SCOPED_TRACE(row.name);
      Pool pool(1);
      pool.give_back(pool.take_one(rules, 0), held(0), PortPool::kNoFlow);
      const auto taken = pool.take_unadjusted(row.syn, rules, 1);
      const bool wanted = rules.policy == ReusePolicy::kNever     ? row.never
                          : rules.policy == ReusePolicy::kNatural ? row.natural
                                                                  : row.rebase_as_it_is;
      ASSERT_EQ(taken.has_value(), wanted);
      EXPECT_EQ(pool.counters().avoided.value(), wanted ? 0u : 1u);
      if (wanted) {
        EXPECT_EQ(taken->reuse, PortReuse::kNatural);
        EXPECT_FALSE(taken->adjust.any());
      }
    }
  }
}

TEST(PortPool, NaturalLooksAtTheOldestFewAlone) {
  constexpr uint32_t kSize = PortPool::kNaturalTries + 2;
  for (uint32_t good = 0; good < kSize; ++good) {
    Pool pool(kSize);
    std::vector<uint16_t> ports;
    for (uint32_t i = 0; i < kSize; ++i) ports.push_back(pool.take_one(kNatural, 0));
    for (uint32_t i = 0; i < kSize; ++i) {
      pool.give_back(ports[i], held(0, i == good ? 1000 : 9000, i == good ? 5000 : 9000),
                     PortPool::kNoFlow);
    }
    const auto taken = pool.take_unadjusted(kNewer, kNatural, 1);
    ASSERT_EQ(taken.has_value(), good < PortPool::kNaturalTries) << good;
    if (taken) {
      EXPECT_EQ(taken->port, ports[good]);
    }
    EXPECT_EQ(pool.counters().avoided.value(), good == 0 ? 0u : 1u);
  }
}

TEST(PortPool, ACleanPortIsPreferredToAHeldOne) {
  for (const ReuseRules& rules : kEvery) {
    Pool pool(2);
    const uint16_t a = pool.take_one(rules, 0), b = pool.take_one(rules, 0);
    pool.give_back(a, held(0), PortPool::kNoFlow);
    pool.give_back(b, clean(0), PortPool::kNoFlow);
    EXPECT_EQ(pool.take_one(rules, kTimeWaitMs), b);
    EXPECT_EQ(pool.take_one(rules, kTimeWaitMs), a);
  }
}

TEST(PortPool, FittedTakesTheOldestHeldThenACleanOneInItsGuard) {
  Pool pool(3);
  net::Random random({5, 6});
  std::vector<uint16_t> ports;
  for (int i = 0; i < 3; ++i) ports.push_back(pool.take_one(kRebase, 0));
  pool.give_back(ports[0], clean(10), PortPool::kNoFlow);
  pool.give_back(ports[1], held(11), PortPool::kNoFlow);
  pool.give_back(ports[2], held(12), PortPool::kNoFlow);
  EXPECT_FALSE(pool.take_unadjusted(kOlder, kRebase, 13));
  const auto first = pool.take_adjusted(kOlder, random);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->port, ports[1]);
  EXPECT_EQ(first->reuse, PortReuse::kRebased);
  EXPECT_TRUE(linux_takes(held(11), {kOlder.sequence + first->adjust.sequence,
                                     kOlder.tsval + first->adjust.timestamp, true}));
  const auto second = pool.take_adjusted({2000, 4000, true}, random);  // PAWS alone
  ASSERT_TRUE(second);
  EXPECT_EQ(second->adjust.sequence, 0u);
  EXPECT_NE(second->adjust.timestamp, 0u);
  const auto third = pool.take_adjusted(kOlder, random);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->port, ports[0]);
  EXPECT_EQ(third->reuse, PortReuse::kAvailable);
  EXPECT_FALSE(third->adjust.any());
  EXPECT_FALSE(pool.take_adjusted(kOlder, random));
  const PortPool::Counters& counters = pool.counters();
  EXPECT_EQ(counters.tsval_adjusts.value(), 2u);
  EXPECT_EQ(counters.sequence_adjusts.value(), 1u);
  EXPECT_EQ(counters.reuse_available.value(), 1u);
}

TEST(PortPool, AnUnansweredSynKeepsWhatWasKnown) {
  struct Row {
    const char* name;
    PriorIncarnation before, sent, after;
  };
  using Kind = PriorIncarnation::Kind;
  const Row rows[] = {
      {"held before: newest of both",
       {0, 1000, 5000, Kind::kTimeWait, true},
       {90, 2000, 6000, Kind::kTimeWait, true},
       {90, 2000, 6000, Kind::kTimeWait, true}},
      {"held before, older sent",
       {0, 1000, 5000, Kind::kTimeWait, true},
       {90, 500, 4000, Kind::kTimeWait, true},
       {90, 1000, 5000, Kind::kTimeWait, true}},
      {"held without timestamps stays so",
       {0, 1000, 0, Kind::kTimeWait, false},
       {90, 2000, 0, Kind::kTimeWait, false},
       {90, 2000, 0, Kind::kTimeWait, false}},
      {"a SYN without timestamps leaves TSval alone",
       {0, 1000, 0xf0000000, Kind::kTimeWait, true},
       {90, 2000, 0, Kind::kTimeWait, false},
       {90, 2000, 0xf0000000, Kind::kTimeWait, true}},
      {"clean before: still clean",
       {0, 1000, 5000, Kind::kAvailable, true},
       {90, 500, 4000, Kind::kTimeWait, true},
       {90, 500, 4000, Kind::kAvailable, true}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Pool pool(1);
    const uint16_t port = pool.take_one(kNever, 0);
    pool.give_back(port, row.before, PortPool::kNoFlow);
    ASSERT_EQ(pool.take_one(kNever, kTimeWaitMs), port);
    pool.give_back_unanswered(port, row.sent, 7);
    const PriorIncarnation& known = pool.prior(port);
    EXPECT_EQ(known.closed_ms, row.after.closed_ms);
    EXPECT_EQ(known.rcv_nxt, row.after.rcv_nxt);
    EXPECT_EQ(known.ts_recent, row.after.ts_recent);
    EXPECT_EQ(known.kind, row.after.kind);
    EXPECT_EQ(known.timestamps, row.after.timestamps);
  }
}

TEST(PortPool, TouchStartsTheRestAnew) {
  Pool pool(2);
  const uint16_t a = pool.take_one(kNever, 0), b = pool.take_one(kNever, 0);
  pool.give_back(a, held(0), PortPool::kNoFlow);
  pool.give_back(b, held(1), PortPool::kNoFlow);
  pool.touch(a, held(50'000, 1500, 5500));
  EXPECT_EQ(pool.prior(a).rcv_nxt, 1500u);
  EXPECT_EQ(pool.take_one(kNever, kTimeWaitMs + 1), b);
  EXPECT_FALSE(pool.take_unadjusted(kNewer, kNever, 109'999));
  EXPECT_EQ(pool.take_one(kNever, 110'000), a);
  pool.touch(a, held(200'000));  // in use: nothing to rest
  EXPECT_TRUE(pool.in_use(a));
  pool.give_back(a, clean(210'000), PortPool::kNoFlow);
  pool.touch(a, held(210'000));  // clean: the backend has forgotten it
  EXPECT_EQ(pool.take_one(kNever, 210'100), a);
  EXPECT_EQ(pool.counters().time_wait.value(), 0u);
}

TEST(PortPool, TheLastFlowIsHandedOverOnce) {
  Pool pool(1);
  const uint16_t port = pool.take_one(kNever, 0);
  pool.give_back(port, clean(0), 42);
  pool.forget_flow(port, 41);  // another's
  EXPECT_EQ(pool.take_unadjusted(kNewer, kNever, kGuard)->old_flow, 42u);
  pool.give_back(port, clean(1000), 43);
  pool.forget_flow(port, 43);
  EXPECT_EQ(pool.take_unadjusted(kNewer, kNever, 2000)->old_flow, PortPool::kNoFlow);
}

TEST(PortPool, LearnReplacesWhatIsKnownOfAPortInUse) {
  Pool pool(1);
  const uint16_t port = pool.take_one(kNever, 0);
  pool.learn(port, held(77, 1, 2));
  EXPECT_EQ(pool.prior(port).closed_ms, 77u);
  EXPECT_TRUE(pool.in_use(port));
}

// Taking and giving back cost the same in a range of 16 as in one of 65535, whatever rests there.
TEST(PortPool, NothingIsSearched) {
  const auto seconds = [](uint32_t size) {
    Pool pool(PortRange{1, static_cast<uint16_t>(size)}, net::Random({8, 9}));
    std::vector<uint16_t> ports;
    for (uint32_t i = 0; i < size; ++i) ports.push_back(pool.take_one(kNever, 0));
    for (const uint16_t port : ports) pool.give_back(port, held(0, 9000, 9000), PortPool::kNoFlow);
    net::Random random({1, 1});
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t i = 0; i < 200'000; ++i) {
      pool.take_unadjusted(kOlder, kNatural, 1);
      const auto taken = pool.take_adjusted(kOlder, random);
      pool.give_back(taken->port, held(1, 9000, 9000), PortPool::kNoFlow);
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  // A scan would be 4000 times slower; caches and a busy machine are worth far less.
  EXPECT_LT(seconds(65535), 50 * seconds(16));
}

// The clock has 32 bits: what rests for 49.7 days and a little must not seem to rest since just
// now.
TEST(PortPool, WeeksOfRestStayWeeks) {
  for (const uint32_t closed : {0u, 1'000'000u, 0xfffffff0u}) {
    Pool pool(1);
    ASSERT_EQ(pool.take_one(kNever, closed), 1000);
    pool.give_back(1000, held(closed), PortPool::kNoFlow);
    EXPECT_EQ(pool.take_one(kNever, closed + kTimeWaitMs - 1), 0);
    constexpr uint64_t kWeeks = (uint64_t{1} << 32) + kTimeWaitMs / 2;
    for (uint64_t passed = 0; passed < kWeeks; passed += kStampOldestMs / 3) {
      pool.age(0, closed + static_cast<uint32_t>(passed));
    }
    const uint32_t now = closed + static_cast<uint32_t>(kWeeks);
    pool.age(0, now);
    EXPECT_GE(stamp_age_ms(now, pool.prior(1000).closed_ms), kStampOldestMs);
    EXPECT_EQ(pool.take_one(kNever, now), 1000);
  }
}

}  // namespace
}  // namespace sluice
