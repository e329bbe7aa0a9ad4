// SPDX-License-Identifier: BSD-3-Clause
// The port pool against a model that keeps plain lists and looks at all of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>

#include "dataplane/state/port_pool.h"
#include "tests/unit/sanitized.h"

namespace sluice {
namespace {

constexpr net::Random kModelOrder({5, 6});

struct Resting {
  uint16_t port;
  PriorIncarnation prior;
  uint32_t flow;
};

/// What port_pool.h promises, as directly as it can be written.
class Model {
 public:
  struct Choice {
    std::list<Resting>* from = nullptr;
    std::list<Resting>::iterator at;
    PortReuse reuse{};
  };

  Choice unfitted(const SynNumbers& syn, const ReuseRules& rules, uint32_t now) {
    if (!clean.empty()) {
      const PriorIncarnation& oldest = clean.front().prior;
      if (oldest.kind == PriorIncarnation::Kind::kFresh)
        return {&clean, clean.begin(), PortReuse::kFresh};
      if (now - oldest.closed_ms >= rules.guard_ms)
        return {&clean, clean.begin(), PortReuse::kAvailable};
    }
    if (held.empty()) return {};
    if (now - held.front().prior.closed_ms >= rules.time_wait_ms) {
      return {&held, held.begin(), PortReuse::kRested};
    }
    if (rules.policy == ReusePolicy::kNatural) {
      int tries = 0;
      for (auto at = held.begin(); at != held.end() && tries < PortPool::kNaturalTries;
           ++at, ++tries) {
        if (linux_takes(at->prior, syn)) return {&held, at, PortReuse::kNatural};
      }
    }
    if (rules.policy == ReusePolicy::kRebase) {
      net::Random any({1, 1});
      if (!smallest_adjust(held.front().prior, syn, any).any())
        return {&held, held.begin(), PortReuse::kNatural};
    }
    return {};
  }
  Choice fitted(const SynNumbers& syn) {
    net::Random any({1, 1});
    if (!held.empty()) {
      const bool as_it_is = !smallest_adjust(held.front().prior, syn, any).any();
      return {&held, held.begin(), as_it_is ? PortReuse::kNatural : PortReuse::kRebased};
    }
    if (!clean.empty()) return {&clean, clean.begin(), PortReuse::kAvailable};
    return {};
  }
  void use(const Choice& choice) {
    used[choice.at->port] = choice.at->prior;
    ++grants[choice.reuse];
    peak = std::max(peak, used.size());
    choice.from->erase(choice.at);
  }
  void rest(uint16_t port, const PriorIncarnation& prior, uint32_t flow) {
    used.erase(port);
    (prior.kind == PriorIncarnation::Kind::kTimeWait ? held : clean).push_back({port, prior, flow});
  }
  Resting* find(uint16_t port) {
    for (auto* list : {&clean, &held}) {
      for (Resting& r : *list) {
        if (r.port == port) return &r;
      }
    }
    return nullptr;
  }

  std::list<Resting> clean, held;
  std::map<uint16_t, PriorIncarnation> used;
  std::map<PortReuse, uint64_t> grants;
  size_t peak = 0;
};

class PortPoolModel : public testing::Test {
 protected:
  void run(PortRange range, ReuseRules rules, uint32_t seed, int rounds) {
    SCOPED_TRACE(testing::Message() << range.size() << " ports, policy "
                                    << static_cast<int>(rules.policy) << ", seed " << seed);
    random_.seed(seed);
    model_ = {};
    net::Random order({seed, 0}), fits({seed, 1});
    PortChunks chunks;
    PortPool pool(make_port_set(range, kModelOrder), order, chunks);
    pool.take_all_memory();
    learn_order(range, seed);
    now_ = 0xfffff000;  // the clock wraps on the way
    const uint32_t busiest = std::max<uint32_t>(1, range.size() * (1 + random_() % 4) / 4);
    for (int round = 0; round < test::rounds(rounds); ++round) {
      now_ += random_() % 3 == 0
                  ? random_() % (2 * rules.time_wait_ms / std::min(range.size(), 100u) + 2)
                  : 0;
      step(pool, rules, fits, busiest);
      if (HasFatalFailure()) FAIL() << "round " << round;
    }
    check_counters(pool);
  }

 private:
  /// The random first order is not ours to predict: taken from a twin.
  void learn_order(PortRange range, uint32_t seed) {
    net::Random order({seed, 0});
    PortChunks chunks;
    PortPool peer(make_port_set(range, kModelOrder), order, chunks);
    peer.take_all_memory();
    while (const auto taken = peer.take_unadjusted({}, {}, 0)) {
      model_.clean.push_back({taken->port, PriorIncarnation{}, PortPool::kNoFlow});
    }
  }

  void step(PortPool& pool, const ReuseRules& rules, net::Random& fits, uint32_t busiest) {
    const uint32_t kind = random_() % 16;
    if (kind < 7 && model_.used.size() < busiest) return take(pool, rules, fits);
    if (kind < 14 && !model_.used.empty()) return give_back(pool);
    if (kind == 14) return touch(pool);
    if (Resting* resting = any_resting()) {
      pool.forget_flow(resting->port, resting->flow);
      resting->flow = PortPool::kNoFlow;
    }
  }

  void take(PortPool& pool, const ReuseRules& rules, net::Random& fits) {
    const SynNumbers syn{static_cast<uint32_t>(random_()), static_cast<uint32_t>(random_()),
                         random_() % 2 == 0};
    auto wanted = model_.unfitted(syn, rules, now_);
    auto taken = pool.take_unadjusted(syn, rules, now_);
    if (!taken && rules.policy == ReusePolicy::kRebase) {
      ASSERT_EQ(wanted.from, nullptr);
      wanted = model_.fitted(syn);
      taken = pool.take_adjusted(syn, fits);
    }
    ASSERT_EQ(taken.has_value(), wanted.from != nullptr);
    if (!taken) return;
    ASSERT_EQ(taken->port, wanted.at->port);
    ASSERT_EQ(taken->reuse, wanted.reuse);
    ASSERT_EQ(taken->old_flow, wanted.at->flow);
    ASSERT_FALSE(model_.used.contains(taken->port)) << "owned twice";
    if (taken->reuse == PortReuse::kRebased || taken->reuse == PortReuse::kNatural) {
      const SynNumbers sent{syn.sequence + taken->adjust.sequence,
                            syn.tsval + taken->adjust.timestamp, syn.timestamps};
      ASSERT_TRUE(linux_takes(wanted.at->prior, sent)) << "the backend would refuse";
    } else {
      ASSERT_FALSE(taken->adjust.any());
    }
    model_.use(wanted);
    ASSERT_TRUE(pool.in_use(taken->port));
  }

  void give_back(PortPool& pool) {
    const auto at = std::next(model_.used.begin(), random_() % model_.used.size());
    const auto [port, before] = *at;
    PriorIncarnation left{
        now_, static_cast<uint32_t>(random_()), static_cast<uint32_t>(random_()),
        random_() % 2 == 0 ? PriorIncarnation::Kind::kAvailable : PriorIncarnation::Kind::kTimeWait,
        random_() % 2 == 0};
    const uint32_t flow = random_() % 1000;
    if (random_() % 4 != 0) {
      pool.give_back(port, left, flow);
      return model_.rest(port, left, flow);
    }
    left.kind = PriorIncarnation::Kind::kTimeWait;
    pool.give_back_unanswered(port, left, flow);
    if (before.kind == PriorIncarnation::Kind::kTimeWait) {
      if (static_cast<int32_t>(before.rcv_nxt - left.rcv_nxt) >= 0) left.rcv_nxt = before.rcv_nxt;
      if (!left.timestamps || static_cast<int32_t>(before.ts_recent - left.ts_recent) >= 0) {
        left.ts_recent = before.ts_recent;
      }
      left.timestamps = before.timestamps;
    } else {
      left.kind = PriorIncarnation::Kind::kAvailable;
    }
    model_.rest(port, left, flow);
  }

  void touch(PortPool& pool) {
    Resting* resting = any_resting();
    if (resting == nullptr || resting->prior.kind != PriorIncarnation::Kind::kTimeWait) return;
    resting->prior.closed_ms = now_;
    pool.touch(resting->port, resting->prior);
    const uint16_t port = resting->port;
    const auto at = std::find_if(model_.held.begin(), model_.held.end(),
                                 [&](const Resting& r) { return r.port == port; });
    model_.held.splice(model_.held.end(), model_.held, at);
  }

  Resting* any_resting() {
    auto& list = random_() % 2 == 0 ? model_.clean : model_.held;
    if (list.empty()) return nullptr;
    return &*std::next(list.begin(),
                       static_cast<ptrdiff_t>(random_() % std::min<size_t>(list.size(), 20)));
  }

  void check_counters(const PortPool& pool) {
    const PortPool::Counters& counters = pool.counters();
    EXPECT_EQ(counters.in_use.value(), model_.used.size());
    EXPECT_EQ(counters.peak.value(), model_.peak);
    EXPECT_EQ(counters.available.value(), model_.clean.size());
    EXPECT_EQ(counters.time_wait.value(), model_.held.size());
    EXPECT_EQ(counters.fresh.value(), model_.grants[PortReuse::kFresh]);
    EXPECT_EQ(counters.reuse_available.value(), model_.grants[PortReuse::kAvailable]);
    EXPECT_EQ(counters.reuse_rested.value(), model_.grants[PortReuse::kRested]);
    EXPECT_EQ(counters.reuse_natural.value(), model_.grants[PortReuse::kNatural]);
    uint64_t taken = 0;
    for (const auto& [reuse, count] : model_.grants) taken += count;
    EXPECT_EQ(counters.taken.value(), taken);
    EXPECT_GE(counters.tsval_adjusts.value() + counters.sequence_adjusts.value(),
              model_.grants[PortReuse::kRebased]);
    for (const auto& [port, prior] : model_.used) EXPECT_TRUE(pool.in_use(port));
    for (const auto* list : {&model_.clean, &model_.held}) {
      for (const Resting& r : *list) EXPECT_FALSE(pool.in_use(r.port));
    }
  }

  std::mt19937 random_;
  Model model_;
  uint32_t now_ = 0;
};

TEST_F(PortPoolModel, EveryPolicyAndRange) {
  for (const ReusePolicy policy :
       {ReusePolicy::kNever, ReusePolicy::kNatural, ReusePolicy::kRebase}) {
    for (uint32_t seed = 1; seed <= 10; ++seed) {
      run({7, 7}, {policy, 60'000, 100}, seed, 2'000);
      run({65534, 65535}, {policy, 60'000, 100}, seed, 5'000);
      run({1000, 1015}, {policy, 60'000, 100}, seed, 20'000);
      run({1000, 1015}, {policy, 1'000, 0}, seed, 20'000);
    }
    run({1024, 65535}, {policy, 60'000, 100}, 11, 150'000);
    run({1, 65535}, {policy, 60'000, 100}, 12, 150'000);
  }
}

}  // namespace
}  // namespace sluice
