// SPDX-License-Identifier: BSD-3-Clause
// Schedulers: weights to the letter, even turns, and a client that keeps its backend.
#include "dataplane/state/scheduler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice {
namespace {

struct Bench {
  ServiceView service{};
  ServiceState state{net::Ipv4Endpoint{}};
  Registry* registry = new Registry;
  ~Bench() { delete registry; }

  Bench(SchedulerKind kind, const std::vector<uint32_t>& weights) {
    service.scheduler = kind;
    for (size_t i = 0; i < weights.size(); ++i) {
      registry->backends.set(i, std::make_unique<BackendState>(static_cast<BackendId>(i)));
      BackendView backend{};
      backend.id = static_cast<BackendId>(i);
      backend.address = test::endpoint(test::ip4(10, 2, 0, static_cast<uint8_t>(10 + i)), 80);
      backend.weight = weights[i];
      service.backends.push_back(backend);
    }
    prepare_scheduler(service);
  }
  int pick(uint32_t client = 0x0a010001) {
    const net::Ipv4Endpoint from{net::be32::from_host(client), net::be16::from_host(40000)};
    const BackendView* backend = pick_backend(service, state, *registry, from.ip);
    return backend == nullptr ? -1 : static_cast<int>(backend->id);
  }
  Counter& active(size_t i) { return registry->backends[i]->active; }
};

constexpr SchedulerKind kKinds[] = {SchedulerKind::kRoundRobin, SchedulerKind::kLeastConnections,
                                    SchedulerKind::kSourceHash};

TEST(Schedulers, NobodyToPick) {
  for (const SchedulerKind kind : kKinds) {
    EXPECT_EQ(Bench(kind, {}).pick(), -1);
    EXPECT_EQ(Bench(kind, {0, 0}).pick(), -1);
  }
}

TEST(Schedulers, WeightZeroGetsNothing) {
  for (const SchedulerKind kind : kKinds) {
    Bench bench(kind, {0, 3, 0, 1, 0});
    for (uint32_t i = 0; i < 2000; ++i) {
      const int picked = bench.pick(i);
      EXPECT_TRUE(picked == 1 || picked == 3) << picked;
    }
  }
}

TEST(RoundRobin, TurnsAreTheWeightsToTheLetter) {
  const std::vector<uint32_t> tables[] = {{1},       {1, 1},   {1, 2, 3},       {5, 1, 1},
                                          {7, 0, 3}, {100, 1}, {13, 17, 19, 23}};
  for (const auto& weights : tables) {
    const auto turns = make_wrr_order(weights);
    std::map<size_t, uint32_t> count;
    for (const uint16_t turn : turns) ++count[turn];
    for (size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(count[i], weights[i]);
  }
}

TEST(RoundRobin, CommonDivisorsShortenTheTurns) {
  EXPECT_EQ(make_wrr_order(std::vector<uint32_t>{1000, 500, 500}).size(), 4u);
  EXPECT_EQ(make_wrr_order(std::vector<uint32_t>{4'000'000'000, 4'000'000'000}).size(), 2u);
}

TEST(RoundRobin, HugeWeightsAreScaledAndNobodyStarves) {
  const auto turns = make_wrr_order(std::vector<uint32_t>{4'294'967'295, 1, 2'000'000'001});
  EXPECT_LE(turns.size(), kTurnsMax + 3u);
  std::map<size_t, uint32_t> count;
  for (const uint16_t turn : turns) ++count[turn];
  EXPECT_EQ(count[1], 1u);
  EXPECT_NEAR(static_cast<double>(count[0]) / count[2], 4'294'967'295.0 / 2'000'000'001.0, 0.01);
}

// nginx's example: 5, 1, 1 goes a a b a c a a.
TEST(RoundRobin, Interleaves) {
  EXPECT_EQ(make_wrr_order(std::vector<uint32_t>{5, 1, 1}),
            (std::vector<uint16_t>{0, 0, 1, 0, 2, 0, 0}));
}

// In every stretch of turns each backend has its share to within the number of backends.
TEST(RoundRobin, EvenInEveryStretch) {
  const std::vector<uint32_t> weights = {9, 5, 3, 1};
  const double total = 18;
  const auto turns = make_wrr_order(weights);
  for (size_t from = 0; from < turns.size(); ++from) {
    std::map<size_t, double> count;
    for (size_t length = 1; length <= turns.size(); ++length) {
      ++count[turns[(from + length - 1) % turns.size()]];
      for (size_t i = 0; i < weights.size(); ++i) {
        EXPECT_NEAR(count[i], weights[i] / total * static_cast<double>(length), 2.0);
      }
    }
  }
}

TEST(RoundRobin, GoesOnWhereItStoodWhenTheTurnsChange) {
  Bench bench(SchedulerKind::kRoundRobin, {1, 1, 1, 1});
  for (int i = 0; i < 3; ++i) bench.pick();
  bench.service.wrr_order =
      make_wrr_order(std::vector<uint32_t>{1, 1});  // a reload: fewer backends
  EXPECT_EQ(bench.pick(), 1);
  EXPECT_EQ(bench.pick(), 0);
  EXPECT_EQ(bench.pick(), 1);
}

TEST(RoundRobin, EachWorkerBeginsElsewhere) {
  for (const SchedulerKind kind : {SchedulerKind::kRoundRobin, SchedulerKind::kLeastConnections}) {
    for (uint32_t worker = 0; worker < 8; ++worker) {
      Bench bench(kind, {1, 1, 1});
      ServiceState begun(net::Ipv4Endpoint{}, worker);
      bench.state.cursor = begun.cursor;
      EXPECT_EQ(bench.pick(), static_cast<int>(worker % 3));
    }
  }
}

TEST(LeastConnections, FewestPerWeight) {
  struct Row {
    std::vector<uint32_t> weights;
    std::vector<uint64_t> active;
    int picked;
  };
  const Row rows[] = {
      {{1, 1}, {5, 4}, 1},
      {{1, 1}, {4, 5}, 0},
      {{2, 1}, {5, 3}, 0},
      {{10, 1}, {50, 5}, 0},
      {{1, 10}, {0, 5}, 1},
      {{1, 0}, {1'000'000, 0}, 0},
      {{4'294'967'295, 1}, {1'000'000, 0}, 0},
  };
  for (const Row& row : rows) {
    Bench bench(SchedulerKind::kLeastConnections, row.weights);
    for (size_t i = 0; i < row.active.size(); ++i) bench.active(i).set(row.active[i]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(bench.pick(), row.picked) << "wherever the turn stands";
  }
}

TEST(LeastConnections, HeldConnectionsEndUpAsTheWeights) {
  Bench bench(SchedulerKind::kLeastConnections, {4, 2, 1, 1});
  for (int i = 0; i < 800; ++i) bench.active(static_cast<size_t>(bench.pick())).add();
  const uint64_t wanted[] = {400, 200, 100, 100};
  for (size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(static_cast<double>(bench.active(i).value()), static_cast<double>(wanted[i]), 2);
}

TEST(LeastConnections, TiesAreShared) {
  Bench bench(SchedulerKind::kLeastConnections, {1, 1, 1});
  std::map<int, int> count;
  for (int i = 0; i < 300; ++i) ++count[bench.pick()];
  for (int i = 0; i < 3; ++i) EXPECT_EQ(count[i], 100);
}

TEST(LeastConnections, EqualsAreTakenInTurnBesideABusyOne) {
  Bench bench(SchedulerKind::kLeastConnections, {1, 1, 1, 1, 0});
  bench.active(0).set(9);
  std::map<int, int> count;
  for (int i = 0; i < 300; ++i) ++count[bench.pick()];
  EXPECT_EQ(count[0], 0);
  for (int i = 1; i < 4; ++i) EXPECT_EQ(count[i], 100);
}

TEST(LeastConnections, AnIdleServiceGoesByWeight) {
  Bench bench(SchedulerKind::kLeastConnections, {2, 1, 0});
  std::map<int, int> count;
  for (int i = 0; i < 300; ++i) ++count[bench.pick()];  // each is over before the next
  EXPECT_EQ(count[0], 200);
  EXPECT_EQ(count[1], 100);
}

TEST(SourceHash, AClientKeepsItsBackendAndSharesFollowWeights) {
  Bench bench(SchedulerKind::kSourceHash, {1, 2, 5});
  std::map<int, int> count;
  for (uint32_t client = 0; client < 40'000; ++client) {
    const int picked = bench.pick(0x0a010000 + client);
    ASSERT_EQ(bench.pick(0x0a010000 + client), picked);
    ++count[picked];
  }
  EXPECT_NEAR(count[0], 5'000, 400);
  EXPECT_NEAR(count[1], 10'000, 500);
  EXPECT_NEAR(count[2], 25'000, 600);
}

TEST(SourceHash, OnlyTheClientsOfTheOneThatGoesMove) {
  Bench before(SchedulerKind::kSourceHash, {1, 1, 1, 1});
  Bench after(SchedulerKind::kSourceHash, {1, 1, 1, 1});
  after.service.backends.erase(after.service.backends.begin() + 2);
  std::reverse(after.service.backends.begin(),
               after.service.backends.end());  // order means nothing
  Bench drained(SchedulerKind::kSourceHash, {1, 1, 0, 1});
  for (uint32_t client = 0; client < 10'000; ++client) {
    const int was = before.pick(client);
    if (was != 2) {
      ASSERT_EQ(after.pick(client), was);
    } else {
      ASSERT_NE(after.pick(client), 2);
    }
    ASSERT_EQ(drained.pick(client), after.pick(client));
  }
}

}  // namespace
}  // namespace sluice
