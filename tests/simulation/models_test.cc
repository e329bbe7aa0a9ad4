// SPDX-License-Identifier: BSD-3-Clause
// The models against what is known of the real thing: design.md's measured table, the rules of the
// other stacks, the failure of a plain NAT; and the control experiment, in which nothing may go
// wrong.
#include <gtest/gtest.h>

#include <cstring>
#include <ostream>

#include "tests/simulation/stand_ins.h"
#include "tests/simulation/world.h"

namespace sluice::sim {
namespace {

constexpr TimeUs kNow = 1000 * kSecond;
constexpr uint32_t kLastSeq = 50'000;
constexpr uint32_t kLastTsval = 7'000;

TimeWait left_behind(Stack stack, bool timestamps) {
  TimeWait w;
  w.stack = stack;
  w.timestamps = timestamps;
  w.rcv_nxt = kLastSeq;
  w.snd_nxt = 900'000;
  w.ts_recent = kLastTsval;
  w.ts_recent_at = kNow - kSecond;
  w.expires_at = kNow + kTimeWaitUs;
  return w;
}

Segment syn(int32_t seq_ahead, bool timestamps, int32_t tsval_ahead) {
  Segment s;
  s.flags = kSyn;
  s.seq = kLastSeq + static_cast<uint32_t>(seq_ahead);
  s.has_timestamps = timestamps;
  s.tsval = kLastTsval + static_cast<uint32_t>(tsval_ahead);
  return s;
}

struct Row {
  bool old_timestamps;
  int32_t seq_ahead;
  bool timestamps;
  int32_t tsval_ahead;
  TimeWaitVerdict linux_;
  TimeWaitVerdict freebsd;
  TimeWaitVerdict rfc6191;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << "old connection " << (row.old_timestamps ? "with" : "without") << " timestamps, SYN seq "
       << row.seq_ahead;
  if (row.timestamps) *out << ", TSval " << row.tsval_ahead;
}

constexpr auto kTaken = TimeWaitVerdict::reopen;
constexpr auto kStale = TimeWaitVerdict::ack;
constexpr auto kSilent = TimeWaitVerdict::drop;

class TimeWaitTable : public testing::TestWithParam<Row> {};

TEST_P(TimeWaitTable, DecidesAsTheStackDoes) {
  const Row& row = GetParam();
  const Segment s = syn(row.seq_ahead, row.timestamps, row.tsval_ahead);
  const auto verdict = [&](Stack stack) {
    TimeWait w = left_behind(stack, row.old_timestamps);
    return process(w, s, kNow);
  };
  EXPECT_EQ(verdict(Stack::linux_), row.linux_);
  EXPECT_EQ(verdict(Stack::linux_rfc1337), row.linux_);
  EXPECT_EQ(verdict(Stack::freebsd), row.freebsd);
  EXPECT_EQ(verdict(Stack::rfc6191), row.rfc6191);
}

INSTANTIATE_TEST_SUITE_P(Design, TimeWaitTable,
                         testing::Values(Row{false, -10, false, 0, kStale, kSilent, kSilent},
                                         Row{false, -10, true, 10, kStale, kSilent, kTaken},
                                         Row{false, 0, false, 0, kStale, kSilent, kTaken},
                                         Row{false, 1, false, 0, kTaken, kTaken, kTaken},
                                         Row{true, -10, true, 10, kTaken, kSilent, kTaken},
                                         Row{true, 10, true, -10, kStale, kTaken, kSilent},
                                         Row{true, 10, true, 0, kTaken, kTaken, kTaken},
                                         Row{true, -10, true, 0, kStale, kSilent, kSilent},
                                         Row{true, 10, false, 0, kTaken, kTaken, kTaken},
                                         Row{true, -10, false, 0, kStale, kSilent, kSilent},
                                         Row{true, 10, true, 10, kTaken, kTaken, kTaken}));

TEST(LinuxTimeWait, AnswersOnceEvery500Milliseconds) {
  TimeWait w = left_behind(Stack::linux_, false);
  const Segment s = syn(-10, false, 0);
  EXPECT_EQ(process(w, s, kNow), kStale);
  EXPECT_EQ(process(w, s, kNow + 499 * kMillisecond), kSilent);
  EXPECT_EQ(process(w, s, kNow + 500 * kMillisecond), kStale);
}

TEST(LinuxTimeWait, IsEndedByAResetAtTheNextSequenceAlone) {
  Segment reset;
  reset.flags = kRst;
  reset.seq = kLastSeq + 1;
  TimeWait w = left_behind(Stack::linux_, true);
  EXPECT_EQ(process(w, reset, kNow), TimeWaitVerdict::drop);
  reset.seq = kLastSeq;
  EXPECT_EQ(process(w, reset, kNow), TimeWaitVerdict::gone);
  w.stack = Stack::linux_rfc1337;
  EXPECT_EQ(process(w, reset, kNow), TimeWaitVerdict::drop);
}

TEST(LinuxTimeWait, StartsAnewWhenTimestampsRejectTheSyn) {
  TimeWait w = left_behind(Stack::linux_, true);
  process(w, syn(10, true, -10), kNow + 30 * kSecond);
  EXPECT_EQ(w.expires_at, kNow + 30 * kSecond + kTimeWaitUs);
}

TEST(LinuxFinWait2, GoesToTimeWaitByTheFin) {
  TimeWait w = left_behind(Stack::linux_, false);
  w.fin_wait_2 = true;
  EXPECT_EQ(process(w, syn(-10, false, 0), kNow), kStale);
  EXPECT_EQ(process(w, syn(10, false, 0), kNow), TimeWaitVerdict::reset);
  Segment fin;
  fin.flags = kFin | kAck;
  fin.seq = kLastSeq;
  EXPECT_EQ(process(w, fin, kNow), kStale);
  EXPECT_FALSE(w.fin_wait_2);
  EXPECT_EQ(w.rcv_nxt, kLastSeq + 1);
}

TEST(Wire, DecodesWhatItEncodes) {
  const uint8_t payload[] = {1, 2, 3, 4, 5};
  Segment s;
  s.source = {0x0a010203, 1234};
  s.destination = {0x0a030001, 80};
  s.seq = 0xfffffffe;
  s.ack = 0x80000001;
  s.flags = kAck | kPsh;
  s.has_timestamps = true;
  s.tsval = 0xdeadbeef;
  s.tsecr = 17;
  s.sack_count = 2;
  s.sack[0] = {1, 2};
  s.sack[1] = {3, 4};
  s.payload = payload;
  s.payload_size = sizeof payload;
  uint8_t frame[kFrameSizeMax] = {};
  frame[12] = 8;
  const unsigned size = encode(s, frame);
  Segment back;
  ASSERT_EQ(decode({frame, size}, back), Decoded::ok);
  EXPECT_EQ(back.destination, s.destination);
  EXPECT_EQ(back.end(), 3u);
  EXPECT_EQ(back.tsval, s.tsval);
  EXPECT_EQ(back.sack[1].right, 4u);
  EXPECT_EQ(std::memcmp(back.payload, payload, sizeof payload), 0);
  frame[size - 1] ^= 1;
  EXPECT_EQ(decode({frame, size}, back), Decoded::bad_tcp_checksum);
  frame[kEthernetSize + 8]--;
  EXPECT_EQ(decode({frame, size}, back), Decoded::bad_ip_checksum);
}

Outcome run_direct(const Scenario& scenario, uint64_t seed, uint64_t connections) {
  World world(scenario, seed, [](const Scenario&, const Site& site, Wire& wire, uint64_t) {
    return make_direct_path(site, wire);
  });
  const Outcome outcome = world.run(connections);
  if (outcome.violation) world.print_trace(stdout);
  return outcome;
}

TEST(DirectPath, BreaksNothingInAnyScenario) {
  for (const Scenario& scenario : scenarios()) {
    // These promise a clock that only a balancer has, or word of a router.
    if (scenario.rewrite_timestamps || scenario.narrow() || scenario.header_bytes != 0) continue;
    const Outcome outcome = run_direct(scenario, 7, 3'000);
    EXPECT_FALSE(outcome.violation) << scenario.name << ": " << outcome.violation->detail;
    EXPECT_EQ(outcome.figures.not_opened, 0u) << scenario.name;
    EXPECT_EQ(outcome.figures.rejected, 0u) << scenario.name;
  }
}

TEST(DirectPath, ReplaysToTheEvent) {
  const Scenario& scenario = *find_scenario("lossy");
  const Outcome first = run_direct(scenario, 11, 2'000);
  EXPECT_EQ(run_direct(scenario, 11, 2'000).digest, first.digest);
  EXPECT_NE(run_direct(scenario, 12, 2'000).digest, first.digest);
}

// Section 1 of the design: behind a NAT that keeps timestamps about half of all early reuses are
// rejected, and each of those clients waits for its own second SYN.
TEST(PlainNat, FailsAsMeasured) {
  World world(*find_scenario("churn"), 1,
              [](const Scenario&, const Site& site, Wire& wire, uint64_t seed) {
                return make_plain_nat(site, wire, seed);
              });
  world.only_count();
  const Figures figures = world.run(30'000).figures;
  const double rejected =
      static_cast<double>(figures.rejected) / static_cast<double>(figures.syns_in_time_wait);
  EXPECT_GT(figures.syns_in_time_wait, 10'000u);
  EXPECT_NEAR(rejected, 0.5, 0.05);
  EXPECT_GT(figures.bare_acks, 5'000u);
}

}  // namespace
}  // namespace sluice::sim
