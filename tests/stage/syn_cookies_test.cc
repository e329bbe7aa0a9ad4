// SPDX-License-Identifier: BSD-3-Clause
// SYN cookies: answers without a flow, and flows that begin with an acknowledgement.
#include <utility>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr uint32_t kCookieIsn = 1000, kSplicedIsn = 50'000, kCookieTsval = 700,
                   kSplicedTsval = 9'000;
constexpr uint8_t kTold = 7;
const Bytes kOffer = option::mss(1460) + Bytes{4, 2} + option::timestamps(kCookieTsval, 0) +
                     option::nop() + option::window_scale(5);

uint16_t window_in(const Sent& s) {
  return get16(s.frame, kTcpAt + 14);
}
Bytes options_in(const Sent& s) {
  return slice(s.frame, kTcpAt + 20, kTcpAt + (s.frame[kTcpAt + 12] >> 4) * 4u);
}

class SynCookie : public Stage {
 protected:
  static Bytes answer_options(uint8_t scale, uint32_t tsval, uint32_t tsecr) {
    return option::mss(1400) + Bytes{4, 2} + option::timestamps(tsval, tsecr) + option::nop() +
           option::window_scale(scale);
  }
  static Bytes stamps(uint32_t tsval, uint32_t tsecr) {
    return option::nop(2) + option::timestamps(tsval, tsecr);
  }
  /// A first handshake, from which the service learns what its backends agree to.
  void learn() {
    pass(2000);
    const Sent syn = open(77, kOffer);
    from_backend(outbound(kSynAck, 88, syn.sequence() + 1, answer_options(kTold, 5, kCookieTsval)));
    only(kClientLink);
    from_client(inbound(kAck, 78, 89, stamps(kCookieTsval, 5)));
    sent.clear();
    next_client();
  }
  void always(Scene scene = {}) {
    scene.syn_cookies = SynCookieMode::kAlways;
    start(scene);
    learn();
  }
  /// A SYN that is answered here.
  Sent ask(const Bytes& options = kOffer) {
    from_client(inbound(kSyn, kCookieIsn, 0, options));
    const Sent answer = only(kClientLink);
    EXPECT_EQ(answer.flags(), kSynAck);
    EXPECT_EQ(answer.acknowledgement(), kCookieIsn + 1);
    EXPECT_EQ(window_in(answer), 0);
    EXPECT_EQ(flow(), FlowTable::kNone);
    cookie_ = answer.sequence();
    cookie_tsval_ = answer.numbers().tsval;
    return answer;
  }
  /// Its client's acknowledgement, upon which the backend gets a SYN.
  Sent acknowledge() {
    const Bytes options = cookie_tsval_ == 0 ? Bytes{} : stamps(kCookieTsval + 5, cookie_tsval_);
    Tcp ack = inbound(kAck, kCookieIsn + 1, cookie_ + 1, options);
    ack.window = 512;
    from_client(ack);
    const Sent syn = only(kBackendLink);
    EXPECT_EQ(syn.flags(), kSyn);
    local_ = syn.from();
    backend_ = syn.to();
    syn_ = syn;
    return syn;
  }
  /// The backend's answer; what it gets, and what the client gets.
  std::pair<Sent, Sent> answer(uint8_t scale = kTold, uint16_t window = 60'000) {
    Tcp syn_ack =
        outbound(kSynAck, kSplicedIsn, syn_.sequence() + 1,
                 cookie_tsval_ == 0 ? option::mss(1400)
                                    : answer_options(scale, kSplicedTsval, syn_.numbers().tsval));
    syn_ack.window = window;
    from_backend(syn_ack);
    const std::vector<Sent> frames = std::exchange(sent, {});
    EXPECT_EQ(frames.size(), 2u);
    if (frames.size() != 2) return {Sent{0, tcp_frame({})}, Sent{0, tcp_frame({})}};
    for (const Sent& s : frames) EXPECT_TRUE(tcp_checksum_right(s.frame));
    EXPECT_EQ(frames[0].port, kClientLink);
    EXPECT_EQ(frames[1].port, kBackendLink);
    return {frames[1], frames[0]};
  }
  void splice(uint8_t scale = kTold) {
    ask();
    acknowledge();
    answer(scale);
    EXPECT_EQ(name_of(state()), "established");
  }
  uint32_t offset() const { return cookie_ - kSplicedIsn; }

  uint32_t cookie_ = 0, cookie_tsval_ = 0;
  Sent syn_{0, {}};
};

TEST_F(SynCookie, TheAnswerOffersWhatBackendsAgreeTo) {
  always();
  const Sent answer = ask();
  const Bytes options = options_in(answer);
  EXPECT_EQ(options, (families_.v6_clients == families_.v6_backends ? option::mss(1400)
                                                                    : slice(options, 0, 4)) +
                         Bytes({4, 2}) + option::timestamps(answer.numbers().tsval, kCookieTsval) +
                         option::nop() + option::window_scale(kTold));
  EXPECT_EQ(events(Event::syn_cookies_sent), 1u);
}

TEST_F(SynCookie, TheFirstOfAServiceLearns) {
  Scene scene;
  scene.syn_cookies = SynCookieMode::kAlways;
  start(scene);
  open(kCookieIsn, kOffer);
}

TEST_F(SynCookie, TheBackendGetsTheClientsSyn) {
  always();
  ask();
  const Sent syn = acknowledge();
  EXPECT_EQ(syn.sequence(), kCookieIsn);
  EXPECT_EQ(window_in(syn), 512 << 5);
  EXPECT_EQ(slice(options_in(syn), 4, 20), Bytes({4, 2}) + option::timestamps(kCookieTsval + 5, 0) +
                                               option::nop() + option::window_scale(5));
  EXPECT_EQ(name_of(state()), "syn_sent");
  const auto [ack, window] = answer();
  EXPECT_EQ(ack.flags(), kAck);
  EXPECT_EQ(ack.sequence(), kCookieIsn + 1);
  EXPECT_EQ(ack.acknowledgement(), kSplicedIsn + 1);
  EXPECT_EQ(ack.numbers().tsval, kCookieTsval + 5);
  EXPECT_EQ(ack.tsecr(), kSplicedTsval);
  EXPECT_EQ(window.flags(), kAck);
  EXPECT_EQ(window.sequence(), cookie_ + 1);
  EXPECT_EQ(window.acknowledgement(), kCookieIsn + 1);
  EXPECT_EQ(window_in(window), 60'000 >> kTold);
  EXPECT_GE(static_cast<int32_t>(window.numbers().tsval - cookie_tsval_), 0) << "PAWS";
  EXPECT_EQ(window.tsecr(), kCookieTsval + 5);
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(SynCookie, NumbersAreShiftedForGood) {
  always();
  splice();
  const Splice& s = core->splice(flow());
  Tcp request = inbound(kAck, kCookieIsn + 1, cookie_ + 1, stamps(kCookieTsval + 9, cookie_tsval_));
  request.payload = Bytes(10, 'x');
  from_client(request);
  const Sent there = only(kBackendLink);
  EXPECT_EQ(there.acknowledgement(), kSplicedIsn + 1);
  EXPECT_EQ(there.tsecr(), kSplicedTsval) << "never before what the backend has sent";
  Tcp page = outbound(kAck, kSplicedIsn + 1, kCookieIsn + 11,
                      stamps(kSplicedTsval + 50, kCookieTsval + 9));
  page.payload = Bytes(100, 'y');
  from_backend(page);
  const Sent here = only(kClientLink);
  EXPECT_EQ(here.sequence(), cookie_ + 1);
  EXPECT_EQ(here.numbers().tsval, kSplicedTsval + 50 + s.timestamp);
  from_client(inbound(kAck, kCookieIsn + 11, cookie_ + 1,
                      option::nop(2) + option::sack({cookie_ + 51, cookie_ + 101})));
  const Sent sack = only(kBackendLink);
  EXPECT_EQ(sack.acknowledgement(), kSplicedIsn + 1);
  EXPECT_EQ(options_in(sack), option::nop(2) + option::sack({kSplicedIsn + 51, kSplicedIsn + 101}));
  from_backend(outbound(kFin, kSplicedIsn + 101, kCookieIsn + 11));
  EXPECT_EQ(only(kClientLink).sequence(), cookie_ + 101);
  from_client(inbound(kFin, kCookieIsn + 11, cookie_ + 102));
  EXPECT_EQ(only(kBackendLink).acknowledgement(), kSplicedIsn + 102);
  from_backend(outbound(kAck, kSplicedIsn + 102, kCookieIsn + 12));
  only(kClientLink);
  EXPECT_EQ(name_of(state()), "time_wait");
}

TEST_F(SynCookie, NumbersOutliveTheProcess) {
  Scene scene;
  scene.keeps = true;
  scene.syn_cookies = SynCookieMode::kAlways;
  always(scene);
  splice();
  start_again(scene);
  EXPECT_EQ(events(Event::flows_adopted), 2u) << "and the one that the service learned of";
  sent.clear();
  from_backend(outbound(kAck, kSplicedIsn + 1, kCookieIsn + 1,
                        stamps(kSplicedTsval + 50, kCookieTsval + 5)));
  EXPECT_EQ(only(kClientLink).sequence(), cookie_ + 1);
  from_client(inbound(kAck, kCookieIsn + 1, cookie_ + 1, stamps(kCookieTsval + 9, cookie_tsval_)));
  EXPECT_EQ(only(kBackendLink).acknowledgement(), kSplicedIsn + 1);
}

TEST_F(SynCookie, WhoWaitsForTheBackendDoesNot) {
  Scene scene;
  scene.keeps = true;
  scene.syn_cookies = SynCookieMode::kAlways;
  always(scene);
  ask();
  acknowledge();
  start_again(scene);
  EXPECT_EQ(flow(), FlowTable::kNone);
}

TEST_F(SynCookie, WindowsOfAnotherScaleAreConverted) {
  always();
  splice(3);
  Tcp ack = outbound(kAck, kSplicedIsn + 1, kCookieIsn + 1);
  ack.window = 4096;
  from_backend(ack);
  EXPECT_EQ(window_in(only(kClientLink)), (4096 << 3) >> kTold);
}

TEST_F(SynCookie, ABackendWithoutAScaleGetsWindowsWithout) {
  always();
  ask();
  acknowledge();
  Tcp syn_ack = outbound(kSynAck, kSplicedIsn, kCookieIsn + 1, option::mss(1400));
  from_backend(syn_ack);
  sent.clear();
  Tcp ack = inbound(kAck, kCookieIsn + 1, cookie_ + 1);
  ack.window = 100;
  from_client(ack);
  EXPECT_EQ(window_in(only(kBackendLink)), 100 << 5);
  ack = outbound(kAck, kSplicedIsn + 1, kCookieIsn + 1);
  ack.window = 6400;
  from_backend(ack);
  EXPECT_EQ(window_in(only(kClientLink)), 6400 >> kTold);
}

TEST_F(SynCookie, AClientWithoutTimestampsHasNoOptions) {
  always();
  EXPECT_EQ(options_in(ask(option::mss(1000))).size(), 4u);
  const Sent syn = acknowledge();
  EXPECT_EQ(options_in(syn), option::mss(536)) << "rounded down";
  answer();
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(SynCookie, AQuestionForTheWindowOpensTheFlowToo) {
  always();
  ask();
  from_client(inbound(kAck, kCookieIsn, cookie_ + 1, stamps(kCookieTsval + 5, cookie_tsval_)));
  EXPECT_EQ(only(kBackendLink).sequence(), kCookieIsn);
}

TEST_F(SynCookie, OthersAreRefused) {
  always();
  ask();
  for (const auto& [isn, ack] : {std::pair{kCookieIsn + 1, cookie_ + 2},
                                 {kCookieIsn + 2, cookie_ + 1},
                                 {kCookieIsn + 1, cookie_ + 1 + 16},
                                 {kCookieIsn + 1, cookie_ + 9}}) {
    from_client(inbound(kAck, isn, ack, stamps(kCookieTsval, cookie_tsval_)));
    EXPECT_NE(only(kClientLink).flags() & kRst, 0);
  }
  const auto port = client_.port;
  next_client();
  from_client(inbound(kAck, kCookieIsn + 1, cookie_ + 1, stamps(kCookieTsval, cookie_tsval_)));
  EXPECT_NE(only(kClientLink).flags() & kRst, 0) << "it was another's";
  client_.port = port;
  pass(130'000, 1000);
  sent.clear();
  from_client(inbound(kAck, kCookieIsn + 1, cookie_ + 1, stamps(kCookieTsval, cookie_tsval_)));
  EXPECT_NE(only(kClientLink).flags() & kRst, 0) << "it is too old";
}

TEST_F(SynCookie, CountsForAMinuteAtLeast) {
  always();
  ask();
  pass(63'000, 1000);
  sent.clear();
  acknowledge();
}

TEST_F(SynCookie, WhatComesBeforeTheBackendIsThereComesAgain) {
  always();
  ask();
  acknowledge();
  EXPECT_DROP(segment_unexpected, from_client(inbound(kFin, kCookieIsn + 1, cookie_ + 1,
                                                      stamps(kCookieTsval, cookie_tsval_))));
  EXPECT_DROP(segment_unexpected, from_client(inbound(kSyn, kCookieIsn, 0, kOffer)));
  expect_nothing();
  answer();
}

TEST_F(SynCookie, ARefusalComesAtTheNumberThatTheClientExpects) {
  always();
  ask();
  acknowledge();
  from_backend(outbound(kRstAck, 0, kCookieIsn + 1));
  const Sent reset = only(kClientLink);
  EXPECT_NE(reset.flags() & kRst, 0);
  EXPECT_EQ(reset.sequence(), cookie_ + 1);
}

TEST_F(SynCookie, TheSynIsSentAgainAndGivenUp) {
  always();
  ask();
  acknowledge();
  unsigned syns = 0, resets = 0;
  for (int i = 0; i < 400; ++i) {
    pass(100);
    for (const Sent& s : std::exchange(sent, {})) {
      if (s.port == kBackendLink && s.flags() == kSyn) ++syns;
      if (s.port == kClientLink && (s.flags() & kRst) != 0) {
        ++resets;
        EXPECT_EQ(s.sequence(), cookie_ + 1);
      }
    }
  }
  EXPECT_EQ(syns, 4u);
  EXPECT_EQ(resets, 1u);
  EXPECT_EQ(flow(), FlowTable::kNone);
}

TEST_F(SynCookie, AHealIsTheSame) {
  always();
  ask();
  acknowledge();
  from_backend(outbound(kAck, 777, 400'000));
  ASSERT_EQ(sent.size(), 2u);
  syn_ = sent[1];
  local_ = syn_.from();
  sent.clear();
  ASSERT_EQ(syn_.flags(), kSyn);
  answer();
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(SynCookie, AReusedTupleIsAdjusted) {
  always({.ports = {2000, 2001}});
  splice();
  from_backend(outbound(kFin, kSplicedIsn + 1, kCookieIsn + 1));
  only(kClientLink);
  from_client(inbound(kFin, kCookieIsn + 1, cookie_ + 2));
  only(kBackendLink);
  from_backend(outbound(kAck, kSplicedIsn + 2, kCookieIsn + 2));
  only(kClientLink);
  pass(1000);
  next_client();
  ask();
  acknowledge();
  EXPECT_TRUE(core->flows[flow()].adjust.any());
  const auto [ack, window] = answer();
  EXPECT_EQ(ack.sequence(), syn_.sequence() + 1);
  EXPECT_EQ(window.acknowledgement(), kCookieIsn + 1);
}

TEST_F(SynCookie, AHeaderFollowsTheHandshake) {
  always({.proxy = ProxyForm{net::ProxyVersion::kV2, {}}});
  sent.clear();
  ask();
  acknowledge();
  Tcp syn_ack = outbound(kSynAck, kSplicedIsn, kCookieIsn + 1,
                         answer_options(kTold, kSplicedTsval, kCookieTsval + 5));
  syn_ack.window = 1024;
  from_backend(syn_ack);
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].port, kClientLink);
  EXPECT_EQ(window_in(sent[0]), (1024 >> kTold) - 1);
  EXPECT_EQ(sent[0].acknowledgement(), kCookieIsn + 1);
  EXPECT_EQ(sent[1].port, kBackendLink);
  EXPECT_EQ(sent[2].port, kBackendLink);
  EXPECT_GT(sent[2].frame.size(), sent[1].frame.size()) << "the header";
  EXPECT_EQ(sent[2].tsecr(), kSplicedTsval);
  sent.clear();
}

TEST_F(SynCookie, AnIdleFlowIsResetAtEitherEndsNumbers) {
  always();
  splice();
  pass(7'500'000, 10'000);
  unsigned seen = 0;
  for (const Sent& s : std::exchange(sent, {})) {
    if (s.to() != client_) continue;
    EXPECT_EQ(s.sequence(), cookie_ + 1);
    ++seen;
  }
  EXPECT_EQ(seen, 1u);
}

TEST_F(SynCookie, AFloodBeginsThemAndItsEndEndsThem) {
  Scene scene;
  scene.syn_cookies = SynCookieMode::kAuto;
  scene.ports = {2000, 2063};
  scene.limits = {256, 64, 256};
  start(scene);
  learn();
  unsigned flows = 0, cookies = 0;
  for (int i = 0; i < 400; ++i, next_client()) {
    from_client(inbound(kSyn, kCookieIsn, 0, kOffer));
    for (const Sent& s : std::exchange(sent, {})) ++(s.port == kBackendLink ? flows : cookies);
  }
  EXPECT_EQ(flows, 16u) << "half of half of the ports";
  EXPECT_EQ(cookies, 384u);
  EXPECT_EQ(events(Event::half_open_evicted), 0u);
  ask();
  acknowledge();
  next_client();
  pass(70'000, 100);
  sent.clear();
  open(kCookieIsn, kOffer);
  EXPECT_EQ(events(Event::syn_cookies_sent), 385u);
}

TEST_F(SynCookie, AreAskedForOnlyWhereTheyAreWanted) {
  start();
  learn();
  open(kCookieIsn, kOffer);
}

}  // namespace
}  // namespace sluice::test
