// SPDX-License-Identifier: BSD-3-Clause
// Stale answers: met with a RST at the acknowledged number and the client's SYN anew, never shown
// to the client.
#include "dataplane/stage/heal.h"

#include "dataplane/state/time_wait.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr uint64_t kMoment = 60;
constexpr PriorIncarnation kOld{0, 40'000, 8'000, PriorIncarnation::Kind::kTimeWait,
                                true};  // what the stale answers say

class Heal : public Stage {
 protected:
  /// Takes the RST and the SYN that a stale answer brought, at once or after the moment that a late
  /// segment is given.
  Sent reset_and_syn(uint32_t reset_at) {
    if (sent.empty()) pass(kMoment);
    EXPECT_EQ(sent.size(), 2u);
    if (sent.size() != 2) return {kBackendLink, tcp_frame({})};
    const Sent reset = sent[0], syn = sent[1];
    sent.clear();
    EXPECT_EQ(reset.port, kBackendLink);
    EXPECT_EQ(reset.flags(), kRst);
    EXPECT_EQ(reset.from(), local_);
    EXPECT_EQ(reset.to(), backend_);
    EXPECT_EQ(reset.sequence(), reset_at);
    EXPECT_EQ(syn.port, kBackendLink);
    EXPECT_EQ(syn.flags(), kSyn);
    for (const Sent* s : {&reset, &syn}) {
      EXPECT_TRUE(ip_checksum_right(s->frame));
      EXPECT_TRUE(tcp_checksum_right(s->frame));
    }
    return syn;
  }
  void stale(uint32_t acknowledgement, const Bytes& options = option::timestamps(3, 8'000),
             uint8_t flags = kAck, size_t payload = 0) {
    Tcp answer = outbound(flags, 777, acknowledgement, options);
    answer.payload = Bytes(payload);
    EXPECT_DROP(stale_answer, from_backend(answer));
  }
};

TEST_F(Heal, AStaleAckIsResetAndTheSynGoesAgainFitted) {
  struct Row {
    const char* name;
    uint8_t flags;
    size_t payload;
  };
  const Row rows[] = {
      {"TIME_WAIT's bare ACK", kAck, 0},
      {"data of an established connection", kAck | net::tcp_flag::kPsh, 100},
      {"FIN of a connection in LAST_ACK", kFin, 0},
      {"SYN-ACK to an older SYN", kSynAck, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    client_ = kClient;
    start();
    const Sent first = open(1000, option::timestamps(70, 0));
    stale(40'000, option::timestamps(3, 8'000), row.flags, row.payload);
    const Sent syn = reset_and_syn(40'000);
    EXPECT_EQ(syn.from(), first.from()) << "the same port";
    EXPECT_TRUE(all_take(kOld, syn.numbers()));
    EXPECT_EQ(events(Event::heals_started), 1u);
    EXPECT_EQ(pool().ports.counters().heals.value(), 1u);
    // And the handshake goes on as if nothing had been.
    from_backend(
        outbound(kSynAck, 5000, syn.sequence() + 1, option::timestamps(4, syn.numbers().tsval)));
    const Sent syn_ack = only(kClientLink);
    EXPECT_EQ(syn_ack.acknowledgement(), 1001u);
    EXPECT_EQ(syn_ack.tsecr(), 70u);
    from_client(inbound(kAck, 1001, 5001, option::timestamps(71, 4)));
    EXPECT_EQ(only(kBackendLink).sequence(), syn.sequence() + 1);
    EXPECT_EQ(events(Event::heals_succeeded), 1u);
    TearDown();
  }
}

TEST_F(Heal, WithoutTimestampsTheSequenceAloneIsFitted) {
  start();
  open(1000);
  stale(40'000, {});
  const Sent syn = reset_and_syn(40'000);
  EXPECT_TRUE(all_take({0, 40'000, 0, PriorIncarnation::Kind::kTimeWait, false}, syn.numbers()));
}

TEST_F(Heal, ASynThatIsNewEnoughGoesAgainAsItWas) {
  start();
  const Sent first = open(1'000'000, option::timestamps(9'000, 0));
  stale(40'000);
  const Sent again = reset_and_syn(40'000);
  EXPECT_EQ(again.frame, first.frame);
}

TEST_F(Heal, SegmentsOfTheSameOldStreamAreNoNews) {
  start();
  open(1000);
  stale(40'000, {}, kAck, 1000);
  reset_and_syn(40'000);
  for (int i = 0; i < 5; ++i) {
    pass(30);
    stale(40'000, {}, kAck, 1000);
    expect_nothing();
  }
}

TEST_F(Heal, AnotherStaleAnswerMovesToAnotherPort) {
  start();
  const Sent first = open(1000);
  stale(40'000);
  reset_and_syn(40'000);
  stale(50'000);
  const Sent moved = reset_and_syn(50'000);
  EXPECT_NE(moved.from(), first.from());
  EXPECT_EQ(moved.sequence(), 1000u) << "a fresh tuple needs no fit";
  EXPECT_EQ(events(Event::heals_moved), 1u);
  EXPECT_EQ(pool().ports.prior(local_.port.host()).rcv_nxt, 50'000u) << "learned of the old";
  EXPECT_FALSE(pool().ports.in_use(local_.port.host()));
  const net::Ipv4Endpoint old = local_;
  local_ = moved.from();
  from_backend(outbound(kSynAck, 5000, 1001));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 1001u);
  from_client(inbound(kAck, 1001, 5001));
  only(kBackendLink);
  local_ = old;  // what still comes there is nobody's
  from_backend(outbound(kAck, 777, 50'000));
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
}

TEST_F(Heal, TheSameStaleAnswerMuchLaterMovesToo) {
  start();
  const Sent first = open(1000);
  stale(40'000);
  reset_and_syn(40'000);
  pass(500);
  stale(40'000);  // the RST was ignored (RFC 1337)
  EXPECT_NE(reset_and_syn(40'000).from(), first.from());
}

TEST_F(Heal, AMovedSynIsFittedToItsNewTuple) {
  start({.ports = {2000, 2001}});
  establish(0x70000000, 5000, option::timestamps(0x70000000, 1));
  close_by_backend(0x70000001, 5001, option::timestamps(0x70000001, 1));
  const PriorIncarnation held = pool().ports.prior(local_.port.host());
  next_client();
  open(1000, option::timestamps(70, 0));
  stale(40'000);
  reset_and_syn(40'000);
  stale(50'000);
  const Sent moved = reset_and_syn(50'000);
  EXPECT_TRUE(all_take(held, moved.numbers()));
  local_ = moved.from();
  from_backend(
      outbound(kSynAck, 9000, moved.sequence() + 1, option::timestamps(5, moved.numbers().tsval)));
  const Sent answer = only(kClientLink);
  EXPECT_EQ(answer.acknowledgement(), 1001u);
  EXPECT_EQ(answer.tsecr(), 70u);
}

TEST_F(Heal, AfterTheLastAttemptTheClientHearsAnHonestReset) {
  start();
  open(1000);
  for (int attempt = 0; attempt < kHealAttemptsMax; ++attempt) {
    stale(40'000 + 1000 * static_cast<uint32_t>(attempt));
    local_ = reset_and_syn(40'000 + 1000 * static_cast<uint32_t>(attempt)).from();
  }
  EXPECT_DROP(heal_exhausted, from_backend(outbound(kAck, 777, 90'000)), pass(kMoment));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].port, kBackendLink);
  EXPECT_EQ(sent[0].sequence(), 90'000u);
  EXPECT_EQ(sent[1].port, kClientLink);
  EXPECT_EQ(sent[1].flags(), kRstAck);
  EXPECT_EQ(sent[1].to(), kClient);
  EXPECT_EQ(sent[1].from(), kVip);
  EXPECT_EQ(sent[1].acknowledgement(), 1001u);
  sent.clear();
  EXPECT_EQ(backend().heals_failed.value(), 1u);
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(Heal, WithNoOtherPortItIsFittedAnewWhereItIs) {
  start({.ports = {2000, 2000}});
  open(1000);
  for (uint32_t ack = 40'000; ack < 40'000 + kHealAttemptsMax; ++ack) {
    stale(ack * 50'000, {});
    const Sent syn = reset_and_syn(ack * 50'000);
    EXPECT_EQ(syn.from(), local_);
    EXPECT_TRUE(
        all_take({0, ack * 50'000, 0, PriorIncarnation::Kind::kTimeWait, false}, syn.numbers()));
  }
  EXPECT_DROP(heal_exhausted, from_backend(outbound(kAck, 777, 50'000)), pass(kMoment));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].flags(), kRstAck);
  sent.clear();
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

// A port that is used again at once still gets segments of its last connection. They look like
// stale answers, and the handshake goes well all the same.
TEST_F(Heal, ALateSegmentIsGivenAMomentToBeNoAnswer) {
  start({.ports = {2000, 2000}});
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  next_client();
  const Sent syn = open(90'000);
  stale(1002, {});  // the last acknowledgement of the connection before, once more
  expect_nothing();
  from_backend(outbound(kSynAck, 7000, 90'001));
  EXPECT_EQ(only(kClientLink).flags(), kSynAck);
  pass(kMoment);
  expect_nothing();
  EXPECT_EQ(events(Event::heals_started), 0u);
  from_client(inbound(kAck, 90'001, 7001));
  only(kBackendLink);
  pass(7'000'000, 1000);
  EXPECT_EQ(name_of(state()), "established") << "the flow's timer is its own again";
}

TEST_F(Heal, ALateSegmentAfterWhichNothingComesIsHealed) {
  start({.ports = {2000, 2000}});
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  next_client();
  const Sent syn = open(90'000);
  stale(1002, {});
  expect_nothing();
  const Sent again = reset_and_syn(1002);
  EXPECT_EQ(again.frame, syn.frame) << "the backend may have it already";
  EXPECT_EQ(events(Event::heals_started), 1u);
}

TEST_F(Heal, AClientThatGivesUpWhileAHealIsDue) {
  start({.ports = {2000, 2000}});
  establish(1000, 5000);
  close_by_backend(1001, 5001);
  next_client();
  open(90'000);
  stale(1002, {});
  from_client(inbound(kRst, 90'001));
  only(kBackendLink);
  pass(kMoment);
  expect_nothing();
}

TEST_F(Heal, UnderNeverAndNaturalNothingIsFitted) {
  for (const ReusePolicy policy : {ReusePolicy::kNever, ReusePolicy::kNatural}) {
    client_ = kClient;
    start({.reuse = policy});
    const Sent first = open(1000, option::timestamps(70, 0));
    stale(40'000);
    const Sent again = reset_and_syn(40'000);
    EXPECT_EQ(again.frame, first.frame);
    stale(40'000);  // it ignored the RST: another port at once
    const Sent moved = reset_and_syn(40'000);
    EXPECT_NE(moved.from(), first.from());
    EXPECT_EQ(moved.sequence(), 1000u);
    TearDown();
  }
}

TEST_F(Heal, WithoutAKeptSynTheClientsOwnSendsItAgain) {
  start({.limits = {64, 64, 0}});
  open(1000);
  stale(40'000);
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).flags(), kSyn);
  from_backend(outbound(kSynAck, 5000, 1001));
  EXPECT_EQ(only(kClientLink).flags(), kSynAck);
}

TEST_F(Heal, DataOnTheSynIsLeftToTheClient) {
  start();
  Tcp syn = inbound(kSyn, 1000);
  syn.payload = Bytes(20, 'x');
  from_client(syn);
  local_ = only(kBackendLink).from();
  stale(40'000, {});
  const Sent again = reset_and_syn(40'000);
  EXPECT_EQ(again.frame.size(), kTcpAt + 20);
  from_backend(outbound(kSynAck, 5000, again.sequence() + 1));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 1001u);
}

// FreeBSD says nothing at all: a SYN that stays unanswered twice goes by another tuple.
TEST_F(Heal, SilenceMovesToAnotherPort) {
  start();
  const Sent first = open(1000);
  pass(1000);
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).from(), first.from()) << "once may be loss";
  pass(2000);
  from_client(inbound(kSyn, 1000));
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].flags(), kRst);
  EXPECT_EQ(sent[0].from(), first.from());
  EXPECT_EQ(sent[1].flags(), kSyn);
  EXPECT_NE(sent[1].from(), first.from());
  local_ = sent[1].from();
  sent.clear();
  from_backend(outbound(kSynAck, 5000, 1001));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 1001u);
}

// A loop or a switch that duplicates: they come sooner than any client sends again.
TEST_F(Heal, CopiesOfASynMoveNothing) {
  start();
  const Sent first = open(1000);
  pass(1000);
  from_client(inbound(kSyn, 1000));  // sent again, once
  only(kBackendLink);
  for (int i = 0; i < 50; ++i) {
    pass(10);
    from_client(inbound(kSyn, 1000));
    EXPECT_EQ(only(kBackendLink).frame, first.frame);
  }
  EXPECT_EQ(events(Event::syns_copied), 50u);
  EXPECT_EQ(events(Event::syns_retransmitted), 1u);
  EXPECT_EQ(backend().unanswered.value(), 1u);
  EXPECT_EQ(events(Event::heals_moved), 0u);
  EXPECT_EQ(events(Event::resets_to_backends), 0u);
  EXPECT_EQ(pool().ports.counters().taken.value(), 1u);
  // From here each retransmission moves, with as many copies as there are.
  for (int sent_again = 1; sent_again <= 3; ++sent_again) {
    pass(1000);
    for (int i = 0; i < 20; ++i) from_client(inbound(kSyn, 1000));
    sent.clear();
    EXPECT_EQ(events(Event::heals_moved), static_cast<uint64_t>(sent_again));
    EXPECT_EQ(backend().unanswered.value(), 1u + static_cast<uint64_t>(sent_again));
  }
}

TEST_F(Heal, CopiesDoNotKeepAnUnansweredFlowAlive) {
  Scene scene;
  scene.timeouts_ms.fill(5000);
  start(scene);
  open(1000);
  for (int i = 0; i < 6; ++i) {
    pass(800);
    from_client(inbound(kSyn, 1000));
  }
  EXPECT_EQ(events(Event::syns_retransmitted), 3u);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
