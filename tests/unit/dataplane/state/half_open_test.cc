// SPDX-License-Identifier: BSD-3-Clause
// Unfinished handshakes in their order, and which queue is the largest.
#include "dataplane/state/half_open.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "tests/unit/sanitized.h"

namespace sluice {
namespace {

TEST(HalfOpen, TheOldestMakesWayAndWhoRepeatsGoesLast) {
  std::vector<Flow> flows(8);
  HalfOpen half_open(flows.data());
  HalfOpenQueue queue;
  EXPECT_EQ(HalfOpen::oldest(queue), HalfOpen::kNone);
  EXPECT_EQ(half_open.largest(), nullptr);
  for (uint32_t i = 0; i < 4; ++i) half_open.push(queue, i, false);
  half_open.push(queue, 4, true);
  half_open.prefer(queue, 0);
  half_open.remove(queue, 2);
  half_open.remove(queue, 2);  // is in no list
  half_open.prefer(queue, 7);
  EXPECT_EQ(queue.count.value(), 4u);
  EXPECT_EQ(half_open.count(), 4u);
  for (const uint32_t expected : {1u, 3u, 4u, 0u}) {
    EXPECT_EQ(HalfOpen::oldest(queue), expected);
    half_open.remove(queue, HalfOpen::oldest(queue));
  }
  EXPECT_EQ(HalfOpen::oldest(queue), HalfOpen::kNone);
  EXPECT_EQ(half_open.largest(), nullptr);
}

TEST(HalfOpen, RandomStepsAgainstAModel) {
  constexpr uint32_t kFlows = 500;
  constexpr size_t kQueues = 5;
  std::vector<Flow> flows(kFlows);
  HalfOpen half_open(flows.data());
  std::vector<HalfOpenQueue> queues(kQueues);
  struct Model {
    std::deque<uint32_t> first, repeated;
    size_t size() const { return first.size() + repeated.size(); }
  };
  std::vector<Model> models(kQueues);
  std::vector<int> where(kFlows, -1);
  std::mt19937 random(7);
  for (int step = 0; step < test::rounds(200'000); ++step) {
    // Mostly a few flows of one queue: its size goes up and down over powers of two.
    const uint32_t index = random() % kFlows;
    if (where[index] < 0) {
      const auto q = random() % 3 == 0 ? random() % kQueues : 0;
      const bool repeated = random() % 4 == 0;
      half_open.push(queues[q], index, repeated);
      (repeated ? models[q].repeated : models[q].first).push_back(index);
      where[index] = static_cast<int>(q);
    } else {
      const auto q = static_cast<size_t>(where[index]);
      Model& model = models[q];
      std::erase(model.first, index);
      std::erase(model.repeated, index);
      if (random() % 4 == 0) {
        half_open.prefer(queues[q], index);
        model.repeated.push_back(index);
      } else {
        half_open.remove(queues[q], index);
        where[index] = -1;
      }
    }
    size_t total = 0, most = 0;
    for (size_t q = 0; q < kQueues; ++q) {
      const Model& model = models[q];
      ASSERT_EQ(queues[q].count.value(), model.size());
      const uint32_t oldest = !model.first.empty()      ? model.first.front()
                              : !model.repeated.empty() ? model.repeated.front()
                                                        : HalfOpen::kNone;
      ASSERT_EQ(HalfOpen::oldest(queues[q]), oldest);
      total += model.size();
      most = std::max(most, model.size());
    }
    ASSERT_EQ(half_open.count(), total);
    ASSERT_EQ(half_open.largest() == nullptr, most == 0);
    if (most > 0) {
      ASSERT_GT(2 * half_open.largest()->count.value(), most);
    }
  }
}

}  // namespace
}  // namespace sluice
