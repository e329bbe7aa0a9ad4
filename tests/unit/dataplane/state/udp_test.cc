// SPDX-License-Identifier: BSD-3-Clause
// UDP's part of the state: what a flow has seen, and how its ports are used again.
#include "dataplane/state/udp_track.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "dataplane/state/port_pool.h"

namespace sluice {
namespace {

struct Step {
  char who;  // c: the client's datagram, b: the backend's
  FlowState state;
  bool complete;
};

void follow(UdpRules rules, const std::vector<Step>& steps) {
  UdpTrack track;
  track.open(rules);
  track.note_client(1);
  EXPECT_EQ(name_of(track.state()), "udp_unanswered");
  EXPECT_FALSE(track.is_complete());
  for (const Step& step : steps) {
    if (step.who == 'c') {
      track.note_client(1);
    } else {
      const FlowState before = track.state();
      EXPECT_EQ(name_of(track.note_backend(1)), name_of(before));
    }
    EXPECT_EQ(name_of(track.state()), name_of(step.state));
    EXPECT_EQ(track.is_complete(), step.complete);
  }
}

TEST(UdpTrack, Follows) {
  using enum FlowState;
  follow({}, {{'c', kUdpUnanswered, false},
              {'b', kUdpAnswered, false},
              {'b', kUdpAnswered, false},
              {'c', kUdpAnswered, false},
              {'b', kUdpEstablished, false},
              {'c', kUdpEstablished, false}});
  follow({.one_shot = true}, {{'b', kUdpAnswered, true}});
  follow({.one_shot = true},
         {{'c', kUdpUnanswered, false}, {'b', kUdpAnswered, false}, {'b', kUdpAnswered, true}});
}

TEST(UdpTrack, CountsBeyond32BitsAndDueAnswersUpToTheirBound) {
  UdpTrack track;
  track.open({.one_shot = true});
  for (uint32_t i = 0; i < 70'000; ++i) track.note_client(65'507);
  EXPECT_EQ(track.bytes_in(), uint64_t{70'000} * 65'507);
  EXPECT_EQ(track.bytes_out(), 0u);
  EXPECT_EQ(track.answers_due(), UINT16_MAX);
  for (uint32_t i = 0; i < UINT16_MAX; ++i) track.note_backend(0);
  EXPECT_TRUE(track.is_complete());
  track.note_backend(0);
  EXPECT_EQ(track.answers_due(), 0u);
}

constexpr uint32_t kGuardMs = 100;

class UdpPorts : public testing::Test {
 protected:
  void make(uint32_t size) {
    pool = std::make_unique<PortPool>(
        make_port_set({2000, static_cast<uint16_t>(1999 + size)}, net::Random({5, 6})), random,
        chunks);
    chunks.refill();
  }
  uint16_t take() {
    const auto taken = pool->take_random(kGuardMs, 0, now, random);
    return taken ? taken->port : uint16_t{0};
  }
  net::Random random{{1, 2}};
  PortChunks chunks;
  std::unique_ptr<PortPool> pool;
  uint32_t now = 0xffffff00;  // wraps
};

TEST_F(UdpPorts, EachRestsAsItsLastFlowAsks) {
  make(1);
  const uint16_t port = take();
  EXPECT_EQ(take(), 0);
  pool->give_back_udp(port, false, now);
  EXPECT_EQ(pool->counters().available.value(), 1u);
  now += kGuardMs - 1;
  EXPECT_EQ(take(), 0);
  ++now;
  EXPECT_EQ(take(), port);
  pool->give_back_udp(port, true, now);
  EXPECT_EQ(pool->counters().time_wait.value(), 1u);
  now += PortPool::kLateAnswerMs - 1;
  EXPECT_EQ(take(), 0);
  ++now;
  EXPECT_EQ(take(), port);
}

TEST_F(UdpPorts, OneThatIsHeardOfRestsAnewWhereverItIs) {
  make(2);
  const uint16_t first = take();
  pool->touch_udp(first, now);  // in use: nothing happens
  EXPECT_TRUE(pool->in_use(first));
  pool->give_back_udp(first, false, now);
  pool->touch_udp(first, now);
  now += kGuardMs;
  pool->touch_udp(pool->set().port_at(0), now);  // the one that was never used as well
  pool->touch_udp(pool->set().port_at(1), now);
  const uint16_t second = take();
  EXPECT_NE(second, first) << "fresh";
  EXPECT_EQ(take(), 0);
  now += PortPool::kLateAnswerMs;
  // Into the bag with it: a draw looks for what has rested first.
  EXPECT_EQ(take(), first);
  pool->give_back_udp(first, false, now);
  pool->give_back_udp(second, false, now);
  now += kGuardMs;
  EXPECT_EQ(take(), second) << "not the same twice in a row";
  pool->touch_udp(first, now);  // it lies in the bag
  EXPECT_EQ(take(), 0);
  EXPECT_EQ(pool->counters().time_wait.value(), 1u);
  now += PortPool::kLateAnswerMs;
  EXPECT_EQ(take(), first);
}

TEST_F(UdpPorts, ADrawIsEvenAndHasNoOrder) {
  constexpr uint32_t kPorts = 64, kDraws = 64'000;
  make(kPorts);
  std::map<uint16_t, uint32_t> counts;
  std::map<int, uint32_t> steps;
  uint16_t last = 0;
  for (uint32_t i = 0; i < kDraws; ++i) {
    const uint16_t port = take();
    ASSERT_NE(port, 0);
    ASSERT_NE(port, last);
    ++counts[port];
    ++steps[(port - last + 128) % 64];
    last = port;
    pool->give_back_udp(port, false, now);
    now += kGuardMs;
  }
  for (const auto& [port, count] : counts) EXPECT_NEAR(count, kDraws / kPorts, 200) << port;
  for (const auto& [step, count] : steps) EXPECT_LT(count, kDraws / 30) << step;
}

/// Beside a model: no port twice, none before its time, none lost.
TEST_F(UdpPorts, AModelAgrees) {
  constexpr uint32_t kPorts = 700;  // three chunks
  make(kPorts);
  std::mt19937 dice(7);
  std::vector<uint16_t> used;
  std::map<uint16_t, uint32_t> free_from;  // given back, and when it may be taken
  uint16_t last = 0;
  for (int i = 0; i < 200'000; ++i) {
    now += dice() % 4;
    switch (dice() % 5) {
      case 0:
      case 1: {
        chunks.refill();
        const uint16_t port = take();
        if (port == 0) break;
        ASSERT_EQ(std::ranges::count(used, port), 0);
        ASSERT_TRUE(port != last);
        if (const auto at = free_from.find(port); at != free_from.end()) {
          ASSERT_GE(static_cast<int32_t>(now - at->second), 0) << port;
          free_from.erase(at);
        }
        last = port;
        used.push_back(port);
        break;
      }
      case 2:
      case 3: {
        if (used.empty()) break;
        const size_t n = dice() % used.size();
        const bool due = dice() % 2 == 0;
        pool->give_back_udp(used[n], due, now);
        free_from[used[n]] = now + (due ? PortPool::kLateAnswerMs : kGuardMs);
        used.erase(used.begin() + static_cast<ptrdiff_t>(n));
        break;
      }
      default: {
        const auto port = static_cast<uint16_t>(2000 + dice() % kPorts);
        pool->touch_udp(port, now);
        if (free_from.contains(port)) free_from[port] = now + PortPool::kLateAnswerMs;
      }
    }
    const PortPool::Counters& counters = pool->counters();
    ASSERT_EQ(counters.in_use.value(), used.size());
    ASSERT_EQ(counters.available.value() + counters.time_wait.value(), kPorts - used.size());
  }
}

}  // namespace
}  // namespace sluice
