// SPDX-License-Identifier: BSD-3-Clause
// Fragments that come in: of any protocol and in any order they become what was sent, and what is
// wrong with them has a name.
#include "dataplane/stage/fragment_input.h"

#include "tests/stage/fragment_stage.h"

namespace sluice::test {
namespace {

class Fragments : public FragmentStage {};

TEST_F(Fragments, ADatagramInAnyOrderArrivesBothWays) {
  start(with_fragments(udp()));
  ask();
  answer();
  std::vector<size_t> order = {0, 1, 2};
  uint16_t id = 1;
  do {
    const Bytes question = large_question(3000, id);
    const std::vector<Bytes> asked = pieces_of(question, 1448);
    for (const size_t i : order) burst(kClientLink, {asked[i]});
    EXPECT_GE(sent.size(), 3u);
    EXPECT_EQ(payload_of(datagram(kBackendLink)), payload_of(question));
    const Bytes reply = large_answer(3000, id);
    const std::vector<Bytes> answered = pieces_of(reply, 1448);
    for (const size_t i : order) burst(kBackendLink, {answered[i]});
    EXPECT_EQ(payload_of(datagram(kClientLink)), payload_of(reply));
    ++id;
  } while (std::ranges::next_permutation(order).found);
  EXPECT_EQ(events(Event::datagrams_reassembled), 12u);
  EXPECT_EQ(events(Event::fragments_reassembled), 36u);
}

TEST_F(Fragments, AFirstDatagramInFragmentsOpensAFlow) {
  start(with_fragments(udp()));
  const Bytes question = large_question(4000);
  burst(kClientLink, pieces_of(question, 1000));
  ASSERT_FALSE(sent.empty());
  local_ = sent[0].from();
  EXPECT_EQ(payload_of(datagram(kBackendLink)), payload_of(question));
  EXPECT_EQ(core->flows.flow_count(), 1u);
  answer();
}

TEST_F(Fragments, WhatFitsItsWayOutLeavesWhole) {
  start(with_fragments(udp()));
  ask();
  burst(kClientLink, pieces_of(large_question(1000), 400));
  EXPECT_EQ(payload_of(only_datagram(kBackendLink).frame), payload(1000));
}

TEST_F(Fragments, TcpAndItsHandshakeToo) {
  start(with_fragments());
  Tcp syn = inbound(kSyn, 1000, 0, option::timestamps(1, 0) + option::nop(8));
  syn.ip.fragment = 0;
  burst(kClientLink, pieces_of(tcp_frame(syn), 24));
  const Sent out = only(kBackendLink);
  local_ = out.from();
  Stage::from_backend(outbound(kSynAck, 5000, 1001, option::timestamps(1, 1)));
  only(kClientLink);
  Tcp data = inbound(kAck, 1001, 5001, option::timestamps(2, 1));
  data.ip.fragment = 0;
  data.payload = payload(1200);
  std::vector<Bytes> pieces = pieces_of(tcp_frame(data), 400);
  std::ranges::reverse(pieces);
  burst(kClientLink, pieces);
  const Bytes frame = only(kBackendLink).frame;
  EXPECT_EQ(slice(frame, frame.size() - 1200, frame.size()), data.payload);
}

TEST_F(Fragments, AnEchoIsAnsweredInFragments) {
  if (families_.any()) return;
  start(with_fragments());
  const Ip ip{.source = kClient.ip, .destination = kVip.ip, .fragment = 0, .to = mac(1)};
  const Bytes question = icmp_frame(ip, 8, 0, 0x12345678, payload(4000));
  burst(kClientLink, pieces_of(question, 1480));
  EXPECT_EQ(sent.size(), 3u);
  const Bytes reply = whole_of(sent);
  sent.clear();
  EXPECT_TRUE(icmp_checksum_right(reply));
  EXPECT_EQ(reply[kTcpAt], 0);
  EXPECT_EQ(payload_of(reply), payload(4000));
  EXPECT_EQ(events(Event::echo_requests_answered), 1u);
}

TEST_F(Fragments, WhatIsWrongHasAName) {
  using R = net::DropReason;
  start(with_fragments(udp()));
  const Bytes whole = large_question(100);
  const Bytes tcp = tcp_frame({.payload = payload(100), .ip = {.fragment = 0, .to = mac(1)}});
  Bytes elsewhere = with_id(whole, 9);
  elsewhere[kIpAt + 19] = 77;
  fix_ip_checksum(elsewhere);
  struct Row {
    const char* what;
    Bytes frame;
    R reason;
  };
  const Row rows[] = {
      {"no multiple of eight", piece_of(whole, 0, 20, true), R::fragment_bad},
      {"no data", piece_of(whole, 16, 0, false), R::fragment_bad},
      {"half a TCP header", piece_of(tcp, 0, 16, true), R::fragment_tiny},
      {"from within a TCP header", piece_of(tcp, 8, 40, true), R::fragment_tiny},
      {"to nobody", piece_of(elsewhere, 0, 40, true),
       families_.v6_clients ? R::ipv6_not_for_us : R::ipv4_not_for_us},
  };
  for (const Row& row : rows) {
    const uint64_t before = drops(row.reason);
    burst(kClientLink, {row.frame});
    EXPECT_EQ(drops(row.reason), before + 1) << row.what;
  }
  Bytes far = piece_of(whole, 0, 80, false);
  store_checksum(far, kIpAt + 6, 0x1fff);
  fix_ip_checksum(far);
  EXPECT_DROP(fragment_bad, burst(kClientLink, {far}));
  EXPECT_EQ(core->counters.fragments_waiting.value(), 0u);
  expect_nothing();
}

TEST_F(Fragments, AnOverlapSpoilsItsDatagramAndNoOther) {
  start(with_fragments(udp()));
  ask();
  const Bytes one = large_question(1000, 1), other = large_question(1000, 2);
  burst(kClientLink, {piece_of(one, 0, 400, true), piece_of(other, 0, 400, true)});
  EXPECT_DROP(fragment_overlap, burst(kClientLink, {piece_of(one, 392, 400, true)}));
  EXPECT_DROP(fragment_overlap, burst(kClientLink, {piece_of(one, 400, 608, false)}));
  expect_nothing();
  burst(kClientLink, {piece_of(other, 400, 608, false)});
  EXPECT_EQ(payload_of(only_datagram(kBackendLink).frame), payload(1000));
  pass(1100);
  EXPECT_EQ(drops(net::DropReason::fragment_timeout), 1u);
}

TEST_F(Fragments, TwoEndsOrAnotherProtocolSpoilItToo) {
  start(with_fragments(udp()));
  const Bytes whole = large_question(1000);
  burst(kClientLink, {piece_of(whole, 400, 400, false)});
  EXPECT_DROP(fragment_bad, burst(kClientLink, {piece_of(whole, 800, 80, true)}));
  Bytes tcp = with_id(whole, 2);
  burst(kClientLink, {piece_of(tcp, 0, 400, true)});
  tcp[kIpAt + 9] = net::kProtocolTcp;
  EXPECT_DROP(fragment_bad, burst(kClientLink, {piece_of(tcp, 400, 608, false)}));
  pass(1100);
  expect_nothing();
}

TEST_F(Fragments, ACopyOfOneIsNoOverlap) {
  start(with_fragments(udp()));
  ask();
  const std::vector<Bytes> pieces = pieces_of(large_question(1000), 400);
  burst(kClientLink, {pieces[0]});
  EXPECT_DROP(fragment_duplicate, burst(kClientLink, {pieces[0]}));
  burst(kClientLink, {pieces[2]});
  EXPECT_DROP(fragment_duplicate, burst(kClientLink, {pieces[2]}));
  burst(kClientLink, {pieces[1]});
  EXPECT_EQ(payload_of(only_datagram(kBackendLink).frame), payload(1000));
}

TEST_F(Fragments, EightPiecesAndNoMore) {
  start(with_fragments(udp()));
  ask();
  burst(kClientLink, pieces_of(large_question(8 * 1000 - 8), 1000));
  EXPECT_EQ(payload_of(datagram(kBackendLink)), payload(8 * 1000 - 8));
  burst(kClientLink, pieces_of(large_question(8 * 1000, 2), 1000));
  EXPECT_EQ(drops(net::DropReason::fragments_too_many), 2u);
  expect_nothing();
}

TEST_F(Fragments, TheRestIsWaitedForASecond) {
  start(with_fragments(udp()));
  ask();
  const std::vector<Bytes> pieces = pieces_of(large_question(1000), 400);
  burst(kClientLink, {pieces[0]});
  pass(990);
  burst(kClientLink, {pieces[1]});
  EXPECT_EQ(core->counters.fragments_waiting.value(), 2u);
  pass(20);
  EXPECT_EQ(drops(net::DropReason::fragment_timeout), 2u);
  EXPECT_EQ(core->counters.fragments_waiting.value(), 0u);
  burst(kClientLink, {pieces[2]});
  expect_nothing();
}

TEST_F(Fragments, InAFloodWhatComesInOneGoStillArrives) {
  start(with_fragments(udp()));
  ask();
  uint16_t id = 100;
  for (int round = 0; round < 10; ++round) {
    for (uint32_t i = 0; i < 2 * kFragmentsMax; ++i) {
      burst(kClientLink, {piece_of(large_question(2000, ++id), 0, 800, true)});
    }
    EXPECT_LE(core->counters.fragments_waiting.value(), kFragmentsMax);
    burst(kClientLink, pieces_of(large_question(1000, 1), 400));
    EXPECT_EQ(payload_of(only_datagram(kBackendLink).frame), payload(1000));
    pass(1);
  }
  EXPECT_GT(drops(net::DropReason::fragment_evicted), 500u);
}

TEST_F(Fragments, AFloodHasABoundAMillisecondAndWhatIsWholeHasNone) {
  start(with_fragments(udp()));
  ask();
  const std::vector<Bytes> flood(32, piece_of(large_question(2000, 5), 0, 800, true));
  for (uint32_t i = 0; i < Reassembly::kFragmentsBurst / 32; ++i) burst(kClientLink, flood);
  EXPECT_EQ(drops(net::DropReason::fragments_limited), 0u);
  burst(kClientLink, flood);
  EXPECT_EQ(drops(net::DropReason::fragments_limited), 32u);
  ask();
  pass(1, 1);
  burst(kClientLink, pieces_of(large_question(1000, 6), 400));
  EXPECT_EQ(payload_of(only_datagram(kBackendLink).frame), payload(1000));
}

TEST_F(Fragments, WithoutRoomForAnyTheyAreDropped) {
  start(udp());
  const uint64_t before =
      drops(net::DropReason::ipv4_fragment) + drops(net::DropReason::ipv6_fragment);
  burst(kClientLink, pieces_of(large_question(1000), 800));
  EXPECT_EQ(drops(net::DropReason::ipv4_fragment) + drops(net::DropReason::ipv6_fragment),
            before + 2);
  expect_nothing();
}

TEST_F(Fragments, PaddingOfAShortFrameIsNoData) {
  start(with_fragments(udp()));
  ask();
  const Bytes question = large_question(24);
  burst(kClientLink, {piece_of(question, 0, 24, true) + Bytes(9, 0xee)});
  burst(kClientLink, {piece_of(question, 24, 8, false) + Bytes(18, 0xee)});
  EXPECT_EQ(payload_of(only_datagram(kBackendLink).frame), payload(24));
}

class FragmentMtu : public FragmentStage, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { families_ = families_named(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Families, FragmentMtu, testing::Values("44", "64", "46", "66"),
                         [](const auto& families) { return std::string(families.param); });

/// Whoever cuts his packets himself, and wants nobody else to, hears when they are too large.
TEST_P(FragmentMtu, WhoForbidsFragmentsIsToldWhatHisMayHave) {
  if (families_.v6_clients != families_.v6_backends) return;
  start(with_fragments(udp({.backend_mtu = 1400})));
  ask();
  const uint16_t dont = 0x4000;
  burst(kClientLink, pieces_of(large_question(3000, 1), 1352, dont));
  EXPECT_EQ(payload_of(datagram(kBackendLink)), payload(3000)) << "as large as they came";
  EXPECT_DROP(mtu_exceeded, burst(kClientLink, pieces_of(large_question(3000, 2), 1448, dont)));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].port, kClientLink);
  EXPECT_EQ(get16(sent[0].frame, kTcpAt), 3 << 8 | 4);
  sent.clear();
  EXPECT_EQ(events(Event::fragmentation_needed_sent), 1u);
}

TEST_P(FragmentMtu, FromIpv6ToIpv4TheyAreCutAsTheLinkWants) {
  if (!families_.v6_clients || families_.v6_backends) return;
  start(with_fragments(udp({.backend_mtu = 600})));
  ask();
  burst(kClientLink, pieces_of(large_question(3000), 1400));
  for (const Sent& s : sent) EXPECT_LE(s.raw.size(), kIpAt + 600);
  EXPECT_EQ(payload_of(datagram(kBackendLink)), payload(3000));
}

TEST_P(FragmentMtu, FromIpv4ToIpv6TheyAreSmallEnoughForAnyLink) {
  if (families_.v6_clients || !families_.v6_backends) return;
  start(with_fragments(udp()));
  ask();
  burst(kClientLink, pieces_of(large_question(3000), 1480));
  for (const Sent& s : sent) EXPECT_LE(s.raw.size(), kIpAt + 1280);
  EXPECT_EQ(payload_of(datagram(kBackendLink)), payload(3000));
}

}  // namespace
}  // namespace sluice::test
