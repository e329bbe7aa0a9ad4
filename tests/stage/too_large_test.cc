// SPDX-License-Identifier: BSD-3-Clause
// Packets that are larger than the MTU of their way out: word to the sender, fragments, and SYNs
// that keep it from happening.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr uint16_t kDontFragment = 0x4000;
constexpr uint16_t kMayFragment = 0;
constexpr uint16_t kSmall = 1400;

class TooLarge : public Stage {
 protected:
  static constexpr size_t kQuoted = kTcpAt + 8;

  void start_small(uint16_t client_mtu, uint16_t backend_mtu, const Scene& scene = {}) {
    Scene small = scene;
    small.client_mtu = client_mtu;
    small.backend_mtu = backend_mtu;
    start(small);
  }

  /// A segment that makes a packet of `size` bytes.
  static Bytes sized(Tcp tcp, size_t size, uint16_t fragment = kDontFragment) {
    tcp.ip.fragment = fragment;
    const Bytes empty = tcp_frame(tcp);
    for (size_t i = empty.size() - kIpAt; i < size; ++i) {
      tcp.payload.push_back(static_cast<uint8_t>(i * 7));
    }
    return tcp_frame(tcp);
  }

  /// Expects the answer to `frame` and takes it out of `sent`.
  void expect_answer(uint16_t link, const Bytes& frame, size_t quoted, uint16_t mtu = kSmall) {
    ASSERT_EQ(sent.size(), 1u);
    const Bytes& answer = sent[0].frame;
    EXPECT_EQ(sent[0].port, link);
    EXPECT_TRUE(ip_checksum_right(answer));
    EXPECT_TRUE(icmp_checksum_right(answer));
    EXPECT_EQ(get32(answer, kIpAt + 12), get32(frame, kIpAt + 16)) << "from whom it was meant for";
    EXPECT_EQ(get32(answer, kIpAt + 16), get32(frame, kIpAt + 12)) << "to whom it came from";
    EXPECT_EQ(get16(answer, kTcpAt), 3 << 8 | 4);
    EXPECT_EQ(get32(answer, kTcpAt + 4), mtu);
    EXPECT_EQ(slice(answer, kQuoted, answer.size()), slice(frame, kIpAt, kIpAt + quoted));
    EXPECT_EQ(answer.size(), kQuoted + quoted);
    sent.clear();
  }
};

constexpr size_t kQuotedMost = 548;

TEST_F(TooLarge, AClientIsToldAndQuotedWhatItSent) {
  start_small(1500, kSmall);
  establish(1000, 5000);
  const Bytes fits = sized(inbound(kAck, 1001, 5001), kSmall);
  EXPECT_EQ((burst(kClientLink, {fits}), only(kBackendLink)).frame.size(), kIpAt + kSmall);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), kSmall + 1);
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, {frame}));
  expect_answer(kClientLink, frame, kQuotedMost);
  EXPECT_EQ(events(Event::fragmentation_needed_sent), 1u);
  EXPECT_EQ(name_of(state()), "established");
}

TEST_F(TooLarge, ABackendIsToldAndQuotedWhatItSent) {
  start_small(kSmall, 1500);
  establish(1000, 5000);
  const Bytes frame = sized(outbound(kAck, 5001, 1001), 1500);
  EXPECT_DROP(mtu_exceeded, burst(kBackendLink, {frame}));
  expect_answer(kBackendLink, frame, kQuotedMost);
}

TEST_F(TooLarge, OfAShiftedConnectionTheSendersOwnNumbersAreQuoted) {
  start_small(kSmall, kSmall, {.ports = {2000, 2000}});
  establish(0x80000000, 5000, option::timestamps(90'000, 0));
  close_by_backend(0x80000001, 5001, option::timestamps(90'000, 0));
  next_client();
  const Bytes options = option::nop(2) + option::timestamps(17, 1);
  establish(1000, 5000, options);
  const net::SeqAdjust adjust = core->flows[flow()].adjust;
  ASSERT_TRUE(adjust.any());
  const Bytes frame = sized(inbound(kAck, 1001, 5001, options), 1500);
  burst(kClientLink, {frame});
  expect_answer(kClientLink, frame, kQuotedMost);
  const Bytes back = sized(outbound(kAck, 5001, 1001 + adjust.sequence,
                                    option::nop(2) + option::timestamps(1, 17 + adjust.timestamp)),
                           1500);
  burst(kBackendLink, {back});
  expect_answer(kBackendLink, back, kQuotedMost);
}

TEST_F(TooLarge, OnTheBalancersClockTheQuoteEndsBeforeIt) {
  start_small(1500, kSmall, {.rewrite_timestamps = true});
  const Bytes options = option::nop(2) + option::timestamps(17, 1);
  establish(1000, 5000, options);
  const Bytes frame = sized(inbound(kAck, 1001, 5001, options), 1500);
  burst(kClientLink, {frame});
  expect_answer(kClientLink, frame, 28);
}

TEST_F(TooLarge, OfASynWithDataTheQuoteEndsBeforeItsOptions) {
  start_small(1500, kSmall, {.mss_clamp = true});
  const Bytes frame = sized(inbound(kSyn, 1000, 0, option::mss(1460)), 1500);
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, {frame}));
  expect_answer(kClientLink, frame, 28);
}

TEST_F(TooLarge, TheAnswerFitsItsOwnWay) {
  start_small(300, 200);
  establish(1000, 5000);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 299);
  burst(kClientLink, {frame});
  expect_answer(kClientLink, frame, 300 - 28, 200);
}

TEST_F(TooLarge, AnswersAreBoundedForEachSender) {
  start_small(1500, kSmall);
  establish(1000, 5000);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 1500);
  for (int i = 0; i < 50; ++i) burst(kClientLink, {frame});
  EXPECT_EQ(sent.size(), IcmpLimit::kBurst);
  EXPECT_EQ(events(Event::fragmentation_needed_limited), 50 - IcmpLimit::kBurst);
  EXPECT_EQ(drops(net::DropReason::mtu_exceeded), 50u);
  sent.clear();
  client_.ip = ip4(10, 1, 0, 77);  // another sender has its own
  establish(1000, 5000);
  burst(kClientLink, {sized(inbound(kAck, 1001, 5001), 1500)});
  EXPECT_EQ(sent.size(), 1u);
  sent.clear();
}

TEST_F(TooLarge, WithoutDfItLeavesInFragmentsThatMakeItWhole) {
  start_small(1500, 576);
  establish(1000, 5000);
  Tcp segment = inbound(kAck, 1001, 5001);
  // A record route (not copied) and a router alert (copied).
  segment.ip.options = Bytes{7, 7, 4, 0, 0, 0, 0, 1} + Bytes{0x94, 4, 0, 0};
  const Bytes frame = sized(segment, 1500, kMayFragment);
  burst(kClientLink, {frame});
  ASSERT_EQ(sent.size(), 3u);
  Bytes payload;
  const size_t header = 32;
  for (size_t i = 0; i < sent.size(); ++i) {
    const Bytes& fragment = sent[i].frame;
    EXPECT_LE(fragment.size(), kIpAt + 576u);
    EXPECT_EQ(get16(fragment, kIpAt + 2), fragment.size() - kIpAt);
    EXPECT_TRUE(ip_checksum_right(fragment));
    EXPECT_EQ(get16(fragment, kIpAt + 4), get16(sent[0].frame, kIpAt + 4)) << "one id";
    EXPECT_EQ(get16(fragment, kIpAt + 6), payload.size() / 8 | (i < 2 ? 0x2000 : 0));
    EXPECT_EQ(fragment[kTcpAt], i == 0 ? 7 : 1);
    EXPECT_EQ(fragment[kTcpAt + 8], 0x94);
    payload = payload + slice(fragment, kIpAt + header, fragment.size());
  }
  Bytes whole = slice(sent[0].frame, 0, kIpAt + header) + payload;
  whole[kIpAt + 2] = 1500 >> 8;
  whole[kIpAt + 3] = 1500 & 0xff;
  EXPECT_TRUE(tcp_checksum_right(whole));
  EXPECT_EQ(slice(whole, kIpAt + header + 20, whole.size()),
            slice(frame, kIpAt + header + 20, frame.size()));
  EXPECT_EQ(events(Event::packets_fragmented), 1u);
  sent.clear();
}

TEST_F(TooLarge, WhatStandsBehindAPacketIsNoPacket) {
  start_small(1500, kSmall);
  establish(1000, 5000);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), kSmall - 10);
  burst(kClientLink, {frame + Bytes(90, 0xee)});
  EXPECT_EQ(only(kBackendLink).frame.size(), frame.size());
}

TEST_F(TooLarge, AChangedMtuIsHeeded) {
  start();
  establish(1000, 5000);
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 1500);
  burst(kClientLink, {frame});
  only(kBackendLink);
  adopt(make_snapshot({.backend_mtu = kSmall}));
  burst(kClientLink, {frame});
  expect_answer(kClientLink, frame, kQuotedMost);
  adopt(make_snapshot({}));
  burst(kClientLink, {frame});
  only(kBackendLink);
}

TEST_F(TooLarge, NothingThatIsTooLargeWaitsForItsNextHop) {
  start_small(1500, kSmall);
  establish(1000, 5000);
  answer_arp = false;
  pass(Neighbours::kReachableMs * 2);  // the MAC is not known any more
  sent.clear();
  const Bytes frame = sized(inbound(kAck, 1001, 5001), 1500);
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, {frame}));
  answer_arp = true;
  flush();
  sent.clear();
}

class MssClamp : public TooLarge {
 protected:
  static uint16_t mss_of(const Bytes& frame) { return get16(frame, kTcpAt + 22); }
};

TEST_F(MssClamp, BothSynsStateWhatBothWaysCarry) {
  start_small(1500, kSmall, {.mss_clamp = true});
  from_client(inbound(kSyn, 1000, 0, option::mss(1460)));
  const Sent syn = only(kBackendLink);
  EXPECT_EQ(mss_of(syn.frame), kSmall - 40);
  local_ = syn.from();
  from_backend(outbound(kSynAck, 5000, 1001, option::mss(8960)));
  EXPECT_EQ(mss_of(only(kClientLink).frame), kSmall - 40);
  // Sent again, either of them.
  from_client(inbound(kSyn, 1000, 0, option::mss(1460)));
  EXPECT_EQ(mss_of(only(kBackendLink).frame), kSmall - 40);
  from_backend(outbound(kSynAck, 5000, 1001, option::mss(1460)));
  EXPECT_EQ(mss_of(only(kClientLink).frame), kSmall - 40);
}

TEST_F(MssClamp, ASmallerOneAndNoneStay) {
  start_small(1500, kSmall, {.mss_clamp = true});
  from_client(inbound(kSyn, 1000, 0, option::mss(536)));
  EXPECT_EQ(mss_of(only(kBackendLink).frame), 536);
  next_client();
  from_client(inbound(kSyn, 1000));
  EXPECT_EQ(only(kBackendLink).frame.size(), kTcpAt + 20);
}

TEST_F(MssClamp, AnUnalignedOneHasARightChecksum) {
  start_small(1500, kSmall, {.mss_clamp = true});
  from_client(inbound(kSyn, 1000, 0, option::nop() + option::mss(1460)));
  EXPECT_EQ(get16(only(kBackendLink).frame, kTcpAt + 23), kSmall - 40);
}

TEST_F(MssClamp, WithoutItSynsPassAsTheyAre) {
  start_small(1500, kSmall);
  from_client(inbound(kSyn, 1000, 0, option::mss(1460)));
  EXPECT_EQ(mss_of(only(kBackendLink).frame), 1460);
}

}  // namespace
}  // namespace sluice::test
