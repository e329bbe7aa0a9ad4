// SPDX-License-Identifier: BSD-3-Clause
// The rule of a backend in TIME_WAIT row by row, and the fit against models of every stack.
#include "dataplane/state/time_wait.h"

#include <gtest/gtest.h>

#include <random>

#include "dataplane/net/serial.h"

namespace sluice {
namespace {

// What the stacks do, written from their sources with no help of dataplane/.

/// net/ipv4/tcp_minisocks.c, tcp_timewait_state_process(), and tcp_paws_check().
bool linux_model(const PriorIncarnation& old, const SynNumbers& syn) {
  const bool both = old.timestamps && syn.timestamps;
  const auto age = static_cast<int32_t>(old.ts_recent - syn.tsval);
  const bool paws_reject = both && age > 0;
  const bool newer_sequence = static_cast<int32_t>(old.rcv_nxt - syn.sequence) < 0;
  return !paws_reject && (newer_sequence || (both && age < 0));
}

/// sys/netinet/tcp_timewait.c, tcp_twcheck(): SEQ_GT(th->th_seq, tw->rcv_nxt).
bool freebsd_model(const PriorIncarnation& old, const SynNumbers& syn) {
  return static_cast<int32_t>(syn.sequence - old.rcv_nxt) > 0;
}

/// RFC 6191, section 2; serial numbers compared as RFC 7323 does: 0 < t - s < 2^31.
bool rfc6191_model(const PriorIncarnation& old, const SynNumbers& syn) {
  const auto newer = [](uint32_t a, uint32_t b) { return a - b - 1 < 0x7fffffff; };
  const bool newer_sequence = newer(syn.sequence, old.rcv_nxt);
  if (!old.timestamps || !syn.timestamps) return newer_sequence;
  if (newer(syn.tsval, old.ts_recent)) return true;
  return syn.tsval == old.ts_recent && newer_sequence;
}

PriorIncarnation held(bool timestamps, uint32_t sequence = 1000, uint32_t tsval = 5000) {
  return {0, sequence, tsval, PriorIncarnation::Kind::kTimeWait, timestamps};
}
SynNumbers shifted(SynNumbers syn, net::SeqAdjust adjust) {
  syn.sequence += adjust.sequence;
  if (syn.timestamps) syn.tsval += adjust.timestamp;
  return syn;
}

// The table that was measured on Linux 6.18.
TEST(LinuxTakes, TheMeasuredTable) {
  struct Row {
    const char* name;
    bool old_timestamps;
    SynNumbers syn;
    bool taken;
  };
  const Row rows[] = {
      {"none before, sequence lower, none now", false, {999, 0, false}, false},
      {"none before, sequence lower, timestamp now", false, {999, 9000, true}, false},
      {"none before, sequence higher, none now", false, {1001, 0, false}, true},
      {"none before, sequence higher, timestamp now", false, {1001, 1, true}, true},
      {"TSval higher, sequence lower", true, {999, 5001, true}, true},
      {"TSval higher, sequence higher", true, {1001, 5001, true}, true},
      {"TSval lower, sequence higher", true, {1001, 4999, true}, false},
      {"TSval lower, sequence lower", true, {999, 4999, true}, false},
      {"TSval equal, sequence higher", true, {1001, 5000, true}, true},
      {"TSval equal, sequence lower", true, {999, 5000, true}, false},
      {"timestamps before, none now, sequence higher", true, {1001, 0, false}, true},
      {"timestamps before, none now, sequence lower", true, {999, 0, false}, false},
      {"sequence equal is not newer", false, {1000, 0, false}, false},
      {"sequence equal, TSval equal", true, {1000, 5000, true}, false},
      {"sequence equal, TSval higher", true, {1000, 5001, true}, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(linux_takes(held(row.old_timestamps), row.syn), row.taken) << row.name;
    EXPECT_EQ(linux_model(held(row.old_timestamps), row.syn), row.taken) << row.name;
  }
}

TEST(LinuxTakes, TheSameAtTheWrap) {
  const uint32_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
  for (const uint32_t sequence : edges) {
    for (const uint32_t tsval : edges) {
      for (int step = -2; step <= 2; ++step) {
        for (int tick = -2; tick <= 2; ++tick) {
          for (const bool old_timestamps : {false, true}) {
            const auto old = held(old_timestamps, sequence, tsval);
            const SynNumbers syn{sequence + static_cast<uint32_t>(step),
                                 tsval + static_cast<uint32_t>(tick), true};
            ASSERT_EQ(linux_takes(old, syn), linux_model(old, syn))
                << sequence << ' ' << tsval << ' ' << step;
          }
        }
      }
    }
  }
}

// It may be more careful than Linux at one point of 2^32 (half the circle away), never less.
TEST(LinuxTakes, NeverSaysYesWhereLinuxSaysNo) {
  std::mt19937 random(11);
  for (int round = 0; round < 500'000; ++round) {
    const PriorIncarnation old = held(random() % 2 == 0, random(), random());
    const SynNumbers syn{old.rcv_nxt + (static_cast<uint32_t>(random()) >> random() % 32),
                         old.ts_recent - (static_cast<uint32_t>(random()) >> random() % 32),
                         random() % 2 == 0};
    const bool opposite = syn.tsval - old.ts_recent == 0x80000000;
    if (opposite) {
      if (linux_takes(old, syn)) {
        ASSERT_TRUE(linux_model(old, syn));
      }
      continue;
    }
    ASSERT_EQ(linux_takes(old, syn), linux_model(old, syn));
  }
}

void expect_fitted(const PriorIncarnation& old, const SynNumbers& syn, net::Random& random) {
  const net::SeqAdjust adjust = smallest_adjust(old, syn, random);
  const SynNumbers sent = shifted(syn, adjust);
  ASSERT_TRUE(linux_takes(old, sent));
  ASSERT_TRUE(linux_model(old, sent));
  ASSERT_TRUE(freebsd_model(old, sent)) << sent.sequence << " after " << old.rcv_nxt;
  ASSERT_TRUE(rfc6191_model(old, sent)) << sent.tsval << " after " << old.ts_recent;
  // The smallest: nothing that was right already is touched.
  if (freebsd_model(old, syn)) {
    ASSERT_EQ(adjust.sequence, 0u);
  }
  if (!old.timestamps || !syn.timestamps || static_cast<int32_t>(syn.tsval - old.ts_recent) >= 0) {
    ASSERT_EQ(adjust.timestamp, 0u);
  }
  // And what was taken everywhere goes as it is.
  const bool everyone = linux_model(old, syn) && freebsd_model(old, syn) && rfc6191_model(old, syn);
  ASSERT_EQ(adjust.any(), !everyone);
}

TEST(Fit, EveryStackTakesIt) {
  std::mt19937 numbers(12);
  net::Random random({1, 2});
  for (int round = 0; round < 500'000; ++round) {
    const PriorIncarnation old = held(numbers() % 2 == 0, numbers(), numbers());
    const auto far = [&] { return static_cast<uint32_t>(numbers()) >> numbers() % 32; };
    SynNumbers syn{old.rcv_nxt + far(), old.ts_recent + far(), numbers() % 2 == 0};
    if (numbers() % 2 == 0) syn.sequence = old.rcv_nxt - far();
    if (numbers() % 2 == 0) syn.tsval = old.ts_recent - far();
    expect_fitted(old, syn, random);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

TEST(Fit, Corners) {
  net::Random random({3, 4});
  const uint32_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
  const uint32_t steps[] = {0,          1,          2,          0x7ffffffe, 0x7fffffff,
                            0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
  for (const uint32_t sequence : edges) {
    for (const uint32_t tsval : edges) {
      for (const uint32_t step : steps) {
        for (const uint32_t tick : steps) {
          for (const int mix : {0, 1, 2, 3}) {
            const PriorIncarnation old = held((mix & 1) != 0, sequence, tsval);
            expect_fitted(old, {sequence + step, tsval + tick, (mix & 2) != 0}, random);
            if (HasFatalFailure())
              FAIL() << std::hex << sequence << ' ' << tsval << ' ' << step << ' ' << tick;
          }
        }
      }
    }
  }
}

// A tuple that is reused again and again by clients with clocks of their own, fast and slow, over
// many turns of the circle: each connection is taken, and stays fit for its whole life (its TSval
// runs on from where the fit put it).
TEST(Fit, ReuseWithoutEnd) {
  std::mt19937 numbers(13);
  net::Random random({5, 6});
  for (const uint32_t ticks_per_ms : {1u, 10u, 1000u}) {
    PriorIncarnation old = held(true, 0xfffffff0, 0xfffffff0);
    for (int round = 0; round < 50'000; ++round) {
      const SynNumbers syn{static_cast<uint32_t>(numbers()), static_cast<uint32_t>(numbers()),
                           numbers() % 4 != 0};
      expect_fitted(old, syn, random);
      if (HasFatalFailure()) FAIL() << "round " << round;
      const SynNumbers sent = shifted(syn, smallest_adjust(old, syn, random));
      old.timestamps = syn.timestamps;
      old.rcv_nxt = sent.sequence + 2 + static_cast<uint32_t>(numbers());  // up to 4 GB sent
      old.ts_recent = sent.tsval + ticks_per_ms * (numbers() % 100'000);
    }
  }
}

TEST(Fit, CannotBeGuessed) {
  net::Random random({7, 8});
  const PriorIncarnation old = held(true, 1000, 5000);
  uint32_t sequence_bits = 0, tsval_bits = 0, last = 0;
  for (int round = 0; round < 1000; ++round) {
    const net::SeqAdjust adjust = smallest_adjust(old, {1, 1, true}, random);
    const uint32_t step = 1 + adjust.sequence - old.rcv_nxt;
    ASSERT_LT(step - 1, uint32_t{1} << 30);
    ASSERT_LT(adjust.timestamp + 1 - old.ts_recent - 1, uint32_t{1} << 24);
    sequence_bits |= step ^ last;
    tsval_bits |= adjust.timestamp;
    last = step;
  }
  EXPECT_GE(sequence_bits, uint32_t{1} << 29);
  EXPECT_GE(tsval_bits, uint32_t{1} << 23);
}

}  // namespace
}  // namespace sluice
