// SPDX-License-Identifier: BSD-3-Clause
// proxy_protocol: a header in front of what the client says, in segments of our own.
#include <algorithm>
#include <string>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr uint32_t kIsn = 1000, kBackendIsn = 5000;
const ProxyForm kV1{net::ProxyVersion::kV1, {}}, kV2{net::ProxyVersion::kV2, {}};

Bytes payload_of(const Sent& s) {
  const size_t at = kTcpAt + (s.frame[kTcpAt + 12] >> 4) * 4u;
  return slice(s.frame, at, kIpAt + get16(s.frame, kIpAt + 2));
}
uint16_t window_of(const Sent& s) {
  return get16(s.frame, kTcpAt + 14);
}
Bytes options_of(const Sent& s) {
  return slice(s.frame, kTcpAt + 20, kTcpAt + (s.frame[kTcpAt + 12] >> 4) * 4u);
}

class ProxyHeader : public Stage {
 protected:
  /// What the specification has stand there, but for the unique id.
  Bytes expected_head() const {
    const net::Endpoint from = seen_by_core(client_), to = seen_by_core(kVip);
    Bytes bytes = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21};
    bytes.push_back(from.ip.is_v4() ? 0x11 : 0x21);
    put16(bytes, static_cast<uint16_t>(2 * from.ip.bytes().size() + 4 + 19 + tlv_));
    for (const net::Endpoint& end : {from, to}) {
      bytes.insert(bytes.end(), end.ip.bytes().begin(), end.ip.bytes().end());
    }
    put16(bytes, from.port.host());
    put16(bytes, to.port.host());
    return bytes + Bytes{0x05, 0, 16};
  }
  uint32_t length() const { return static_cast<uint32_t>(expected_head().size() + 16 + tlv_); }

  void judge_tcp(const Sent& s) const {
    EXPECT_TRUE(ip_checksum_right(s.frame));
    EXPECT_TRUE(tcp_checksum_right(s.frame));
  }
  /// The frames that went to a side since the last look.
  std::vector<Sent> take(uint16_t port, size_t count) {
    std::vector<Sent> taken = std::exchange(sent, {});
    EXPECT_EQ(taken.size(), count);
    for (const Sent& s : taken) {
      EXPECT_EQ(s.port, port);
      judge_tcp(s);
    }
    taken.resize(count, Sent{port, tcp_frame({})});
    return taken;
  }

  /// Up to the backend's SYN-ACK.
  Sent answer_syn(const Bytes& options = {}, const Bytes& answer_options = {},
                  uint16_t window = 65535) {
    syn_ = open(kIsn, options);
    Tcp answer = outbound(kSynAck, kBackendIsn, syn_.sequence() + 1, answer_options);
    answer.window = window;
    from_backend(answer);
    return only(kClientLink);
  }
  /// Up to the header, which is returned.
  Sent shake_hands() {
    answer_syn();
    from_client(inbound(kAck, kIsn + 1, kBackendIsn + 1));
    first_ = syn_.sequence() + 1;
    return take(kBackendLink, 2)[1];
  }
  void acknowledge_header() {
    from_backend(outbound(kAck, kBackendIsn + 1, first_ + length()));
    EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 1);
  }
  Tcp data(uint32_t at, const Bytes& bytes) const {
    Tcp tcp = inbound(kAck, kIsn + 1 + at, kBackendIsn + 1);
    tcp.payload = bytes;
    return tcp;
  }

  Sent syn_{0, {}};
  uint32_t first_ = 0;  // as the backend sees it
  size_t tlv_ = 0;
};

TEST_F(ProxyHeader, FollowsTheHandshake) {
  start({.proxy = kV2});
  answer_syn();
  from_client(inbound(kAck, kIsn + 1, kBackendIsn + 1));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(frames[0].sequence(), kIsn + 1);
  EXPECT_EQ(frames[0].flags(), kAck);
  EXPECT_TRUE(payload_of(frames[0]).empty());
  const Bytes header = payload_of(frames[1]);
  EXPECT_EQ(frames[1].sequence(), kIsn + 1);
  EXPECT_EQ(frames[1].acknowledgement(), kBackendIsn + 1);
  EXPECT_EQ(frames[1].flags(), kAck | net::tcp_flag::kPsh);
  EXPECT_EQ(window_of(frames[1]), 65535);
  ASSERT_EQ(header.size(), length());
  EXPECT_EQ(slice(header, 0, header.size() - 16), expected_head());
  EXPECT_EQ(events(Event::proxy_headers_sent), 1u);
  first_ = kIsn + 1;
  acknowledge_header();
}

TEST_F(ProxyHeader, OfVersion1IsALine) {
  start({.proxy = kV1});
  const Bytes line = payload_of(shake_hands());
  const net::Endpoint from = seen_by_core(client_), to = seen_by_core(kVip);
  const std::string expected = std::string(from.ip.is_v4() ? "PROXY TCP4 " : "PROXY TCP6 ") +
                               net::to_string(from.ip) + " " + net::to_string(to.ip) +
                               " 40000 80\r\n";
  EXPECT_EQ(std::string(line.begin(), line.end()), expected);
}

TEST_F(ProxyHeader, CarriesTheConfiguredName) {
  tlv_ = 3 + 12;
  start({.proxy = ProxyForm{net::ProxyVersion::kV2, "shop.example"}});
  const Bytes header = payload_of(shake_hands());
  ASSERT_EQ(header.size(), length());
  const Bytes tlv = slice(header, header.size() - tlv_, header.size());
  EXPECT_EQ(std::string(tlv.begin(), tlv.end()), std::string("\x02\0\x0cshop.example", 15));
}

TEST_F(ProxyHeader, ShiftsWhatComesBehindIt) {
  start({.proxy = kV2});
  shake_hands();
  acknowledge_header();
  from_client(data(0, Bytes(100, 'x')));
  EXPECT_EQ(only(kBackendLink).sequence(), first_ + length());
  from_backend(
      outbound(kAck, kBackendIsn + 1, first_ + length() + 100,
               option::nop(2) + option::sack({first_ + length() + 200, first_ + length() + 300})));
  const Sent ack = only(kClientLink);
  EXPECT_EQ(ack.acknowledgement(), kIsn + 101);
  EXPECT_EQ(options_of(ack), option::nop(2) + option::sack({kIsn + 201, kIsn + 301}));
  EXPECT_EQ(core->flows[flow()].bytes_in(), 100u) << "the header is not the client's";
  from_client(inbound(kFin, kIsn + 101, kBackendIsn + 1));
  EXPECT_EQ(only(kBackendLink).sequence(), first_ + length() + 100);
  from_backend(outbound(kFin, kBackendIsn + 1, first_ + length() + 101));
  EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 102);
  from_client(inbound(kAck, kIsn + 102, kBackendIsn + 2));
  only(kBackendLink);
  EXPECT_EQ(name_of(state()), "closed");
}

TEST_F(ProxyHeader, GoesAheadOfDataOnTheAcknowledgement) {
  start({.proxy = kV2});
  answer_syn();
  from_client(data(0, Bytes(10, 'x')));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(payload_of(frames[0]).size(), length());
  EXPECT_EQ(frames[0].sequence(), kIsn + 1);
  EXPECT_EQ(frames[1].sequence(), kIsn + 1 + length());
  EXPECT_EQ(payload_of(frames[1]), Bytes(10, 'x'));
}

TEST_F(ProxyHeader, GoesAheadOfAFin) {
  start({.proxy = kV2});
  answer_syn();
  from_client(inbound(kFin, kIsn + 1, kBackendIsn + 1));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(payload_of(frames[0]).size(), length());
  EXPECT_EQ(frames[1].sequence(), kIsn + 1 + length());
  EXPECT_EQ(name_of(state()), "client_closed");
  from_backend(outbound(kFin, kBackendIsn + 1, kIsn + 2 + length()));
  EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 2);
  from_client(inbound(kAck, kIsn + 2, kBackendIsn + 2));
  EXPECT_EQ(only(kBackendLink).sequence(), kIsn + 2 + length());
  EXPECT_EQ(name_of(state()), "closed");
}

TEST_F(ProxyHeader, IsHiddenFromAServerThatSpeaksFirst) {
  start({.proxy = kV2});
  shake_hands();
  Tcp greeting = outbound(kAck, kBackendIsn + 1, first_);
  greeting.payload = Bytes(20, 'g');
  greeting.window = 1000;
  from_backend(greeting);
  const Sent seen = only(kClientLink);
  EXPECT_EQ(seen.acknowledgement(), kIsn + 1);
  EXPECT_EQ(window_of(seen), 1000 - length());
  EXPECT_EQ(payload_of(seen), Bytes(20, 'g'));
}

TEST_F(ProxyHeader, TakesItsPartOfTheWindow) {
  start({.proxy = kV2});
  EXPECT_EQ(window_of(answer_syn({}, {}, 4000)), 4000 - length());
  // A copy of the SYN-ACK after the header says the same.
  from_client(inbound(kAck, kIsn + 1, kBackendIsn + 1));
  take(kBackendLink, 2);
  Tcp again = outbound(kSynAck, kBackendIsn, kIsn + 1);
  again.window = 4000;
  from_backend(again);
  const Sent seen = only(kClientLink);
  EXPECT_EQ(window_of(seen), 4000 - length());
  EXPECT_EQ(seen.acknowledgement(), kIsn + 1);
}

TEST_F(ProxyHeader, WaitsForAWindow) {
  start({.proxy = kV2});
  EXPECT_EQ(window_of(answer_syn({}, {}, 10)), 0);
  from_client(inbound(kAck, kIsn + 1, kBackendIsn + 1));
  EXPECT_EQ(payload_of(take(kBackendLink, 2)[1]).size(), 10u);
  first_ = kIsn + 1;
  Tcp closed = outbound(kAck, kBackendIsn + 1, first_ + 10);
  closed.window = 0;
  from_backend(closed);
  expect_nothing();
  pass(300);
  const Sent probe = only(kBackendLink);
  EXPECT_EQ(probe.sequence(), first_ + 10);
  EXPECT_EQ(payload_of(probe).size(), 1u) << "one byte asks whether the window is open";
  closed.window = 1000;
  from_backend(closed);
  expect_nothing();
  pass(600);
  EXPECT_EQ(payload_of(only(kBackendLink)).size(), length() - 10);
  acknowledge_header();
}

TEST_F(ProxyHeader, KeepsToTheSegmentsOfTheBackend) {
  start({.proxy = kV2});
  answer_syn(option::mss(1460), option::mss(64));
  from_client(inbound(kAck, kIsn + 1, kBackendIsn + 1));
  const size_t pieces = (length() + 63) / 64;
  const auto frames = take(kBackendLink, 1 + pieces);
  uint32_t next = kIsn + 1;
  for (size_t i = 1; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].sequence(), next);
    EXPECT_LE(payload_of(frames[i]).size(), 64u);
    next += static_cast<uint32_t>(payload_of(frames[i]).size());
  }
  EXPECT_EQ(next, kIsn + 1 + length());
}

TEST_F(ProxyHeader, HasTimestampsWhereTheConnectionHas) {
  start({.proxy = kV2});
  answer_syn(option::timestamps(100, 0), option::timestamps(9, 100));
  from_client(
      inbound(kAck, kIsn + 1, kBackendIsn + 1, option::nop(2) + option::timestamps(101, 9)));
  const Sent header = take(kBackendLink, 2)[1];
  EXPECT_EQ(header.numbers().tsval, 101u);
  EXPECT_EQ(header.tsecr(), 9u);
  pass(300);
  EXPECT_EQ(only(kBackendLink).numbers().tsval, 101u);
}

TEST_F(ProxyHeader, IsSentAgainUntilItIsAcknowledged) {
  start({.proxy = kV2});
  const Sent header = shake_hands();
  for (const uint64_t wait : {250, 500, 1000, 2000}) {
    uint64_t waited = 0;
    for (; sent.empty() && waited < 2 * wait; waited += 10) pass(10);
    EXPECT_NEAR(static_cast<double>(waited), static_cast<double>(wait), 40);
    const Sent again = only(kBackendLink);
    EXPECT_EQ(payload_of(again), payload_of(header)) << "the same bytes, the id too";
    EXPECT_EQ(again.sequence(), header.sequence());
  }
  acknowledge_header();
  pass(60'000);
  expect_nothing();
  EXPECT_EQ(events(Event::proxy_headers_resent), 4u);
}

TEST_F(ProxyHeader, GoesAgainAtOnceWhereWhatFollowsCame) {
  start({.proxy = kV2});
  const Sent header = shake_hands();
  from_client(data(0, Bytes(100, 'x')));
  only(kBackendLink);
  pass(10);
  const uint32_t behind = first_ + length();
  from_backend(outbound(kAck, kBackendIsn + 1, first_,
                        option::nop(2) + option::sack({behind, behind + 100})));
  const Sent again = only(kBackendLink);
  EXPECT_EQ(payload_of(again), payload_of(header));
  EXPECT_EQ(events(Event::proxy_acks_absorbed), 1u);
  from_backend(outbound(kAck, kBackendIsn + 1, behind + 100));
  EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 101);
}

TEST_F(ProxyHeader, ADuplicateOfItIsNoNewsToTheClient) {
  start({.proxy = kV2});
  shake_hands();
  acknowledge_header();
  from_client(data(0, Bytes(100, 'x')));
  only(kBackendLink);
  const uint32_t behind = first_ + length();
  // RFC 2883: the first block is of what came twice.
  from_backend(
      outbound(kAck, kBackendIsn + 1, behind,
               option::nop(2) + option::sack({first_, behind, behind + 50, behind + 100})));
  const Sent seen = only(kClientLink);
  EXPECT_EQ(seen.acknowledgement(), kIsn + 1);
  EXPECT_EQ(options_of(seen),
            option::nop(2) + option::sack({kIsn + 51, kIsn + 101}) + option::nop(8));
  from_backend(outbound(kAck, kBackendIsn + 1, behind + 100,
                        option::nop(2) + option::sack({first_, behind})));
  EXPECT_EQ(options_of(only(kClientLink)), option::nop(12));
}

TEST_F(ProxyHeader, ALateAcknowledgementSaysNoLessThanTheFirstByte) {
  start({.proxy = kV2});
  shake_hands();
  acknowledge_header();
  Tcp late = outbound(kAck, kBackendIsn + 1, first_ + 5);
  late.payload = Bytes(3, 'y');
  from_backend(late);
  EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 1);
}

TEST_F(ProxyHeader, EndsTheFlowWhereNobodyAcknowledgesIt) {
  start({.proxy = kV2});
  shake_hands();
  pass(40'000);
  EXPECT_EQ(events(Event::proxy_headers_unanswered), 1u);
  EXPECT_EQ(events(Event::proxy_headers_resent), 6u);
  EXPECT_EQ(flow(), FlowTable::kNone);
  ASSERT_EQ(sent.size(), 8u);
  std::vector<Sent> resets(sent.end() - 2, sent.end());
  sent.clear();
  for (const Sent& reset : resets) {
    EXPECT_NE(reset.flags() & kRst, 0);
    EXPECT_EQ(reset.sequence(), reset.port == kBackendLink ? first_ : kBackendIsn + 1);
  }
  EXPECT_NE(resets[0].port, resets[1].port);
}

TEST_F(ProxyHeader, ARefusalIsCounted) {
  start({.proxy = kV2});
  shake_hands();
  from_backend(outbound(kRst, kBackendIsn + 1));
  EXPECT_NE(only(kClientLink).flags() & kRst, 0);
  EXPECT_EQ(events(Event::proxy_headers_refused), 1u);
  EXPECT_EQ(name_of(state()), "closed");
  pass(1000);
  expect_nothing();
}

TEST_F(ProxyHeader, ARefusalAfterItsAcknowledgementIsCountedToo) {
  start({.proxy = kV2});
  shake_hands();
  acknowledge_header();
  from_backend(outbound(kRst, kBackendIsn + 1));
  only(kClientLink);
  EXPECT_EQ(events(Event::proxy_headers_refused), 1u);
}

TEST_F(ProxyHeader, AResetAfterAnAnswerIsNone) {
  start({.proxy = kV2});
  shake_hands();
  acknowledge_header();
  Tcp answer = outbound(kAck, kBackendIsn + 1, first_ + length());
  answer.payload = Bytes(4, 'a');
  from_backend(answer);
  only(kClientLink);
  from_client(inbound(kAck, kIsn + 1, kBackendIsn + 5));
  only(kBackendLink);
  from_backend(outbound(kRst, kBackendIsn + 5));
  only(kClientLink);
  EXPECT_EQ(events(Event::proxy_headers_refused), 0u);
}

TEST_F(ProxyHeader, AClientsResetClearsABackendWithoutIt) {
  start({.proxy = kV2});
  shake_hands();
  from_client(inbound(kRst, kIsn + 1));
  const auto resets = take(kBackendLink, 2);
  EXPECT_EQ(resets[0].sequence(), first_) << "the header was lost";
  EXPECT_EQ(resets[1].sequence(), first_ + length()) << "it was not";
}

TEST_F(ProxyHeader, DataOnASynStaysBehindIt) {
  start({.proxy = kV2});
  Tcp syn = inbound(kSyn, kIsn, 0, option::mss(1000) + Bytes{34, 10, 1, 2, 3, 4, 5, 6, 7, 8});
  syn.payload = Bytes(50, 'x');
  from_client(syn);
  const Sent seen = only(kBackendLink);
  EXPECT_TRUE(payload_of(seen).empty());
  EXPECT_EQ(slice(options_of(seen), 0, 14), option::mss(1000) + option::nop(10));
  local_ = seen.from();
  from_backend(outbound(kSynAck, kBackendIsn, kIsn + 1));
  EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 1);
  from_client(data(0, Bytes(50, 'x')));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(payload_of(frames[0]).size(), length());
  EXPECT_EQ(payload_of(frames[1]), Bytes(50, 'x'));
}

TEST_F(ProxyHeader, ALateCopyOfTheSynGoesAsItDid) {
  start({.proxy = kV2});
  shake_hands();
  acknowledge_header();
  from_client(inbound(kSyn, kIsn));
  EXPECT_EQ(only(kBackendLink).sequence(), syn_.sequence());
}

TEST_F(ProxyHeader, StandsBehindAnAdjustedNumber) {
  start({.ports = {2000, 2000}, .proxy = kV2});
  shake_hands();
  acknowledge_header();
  close_by_backend(kIsn + 1, kBackendIsn + 1);
  next_client();
  const Sent syn = open(10);
  ASSERT_NE(syn.sequence(), 10u);
  from_backend(outbound(kSynAck, 9000, syn.sequence() + 1));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 11u);
  from_client(inbound(kAck, 11, 9001));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(frames[1].sequence(), syn.sequence() + 1);
  from_backend(outbound(kAck, 9001, syn.sequence() + 1 + length()));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 11u);
  from_client(inbound(kFin, 11, 9001));
  EXPECT_EQ(only(kBackendLink).sequence(), syn.sequence() + 1 + length());
}

TEST_F(ProxyHeader, GoesOnceMoreWhereTheBackendBeginsAnew) {
  start({.proxy = kV2});
  const Bytes before = payload_of(shake_hands());
  acknowledge_header();
  pass(5000);
  from_client(inbound(kSyn, 70'000));
  const Sent syn = only(kBackendLink);
  from_backend(outbound(kSynAck, 8000, syn.sequence() + 1));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 70'001u);
  from_client(inbound(kAck, 70'001, 8001));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(frames[1].sequence(), syn.sequence() + 1);
  const Bytes header = payload_of(frames[1]);
  EXPECT_EQ(slice(header, 0, header.size() - 16), expected_head());
  EXPECT_NE(header, before) << "another connection has another id";
  first_ = syn.sequence() + 1;
  from_backend(outbound(kAck, 8001, first_ + length()));
  EXPECT_EQ(only(kClientLink).acknowledgement(), 70'001u);
}

TEST_F(ProxyHeader, IsSentAfterAHeal) {
  start({.proxy = kV2});
  open(kIsn);
  from_backend(outbound(kAck, 777, 40'000));
  const auto healed = take(kBackendLink, 2);
  EXPECT_NE(healed[0].flags() & kRst, 0);
  local_ = healed[1].from();
  from_backend(outbound(kSynAck, kBackendIsn, healed[1].sequence() + 1));
  EXPECT_EQ(only(kClientLink).acknowledgement(), kIsn + 1);
  from_client(inbound(kAck, kIsn + 1, kBackendIsn + 1));
  const auto frames = take(kBackendLink, 2);
  EXPECT_EQ(frames[1].sequence(), healed[1].sequence() + 1);
  EXPECT_EQ(payload_of(frames[1]).size(), length());
}

TEST_F(ProxyHeader, KeepsItsFormWhenAReloadChangesIt) {
  start({.proxy = kV2});
  const Sent header = shake_hands();
  auto next = make_snapshot({.proxy = kV2});
  next->proxy_forms.push_back(kV1);
  next->services[0].proxy_form = 1;
  adopt(std::move(next));
  pass(300);
  EXPECT_EQ(payload_of(only(kBackendLink)), payload_of(header));
}

// What a router says of a packet that the backend was sent, quoting its first eight bytes of TCP.
TEST_F(ProxyHeader, ErrorsAboutItAreNoBusinessOfTheClients) {
  if (families_.any()) return;
  start({.proxy = kV2});
  const Sent header = shake_hands();
  const auto error = [&](const Sent& about) {
    const Ip ip{.source = ip4(10, 2, 0, 200), .destination = local_.ip, .to = mac(2)};
    return icmp_frame(ip, 3, 4, 1400, slice(about.frame, kIpAt, kTcpAt + 8));
  };
  EXPECT_DROP(icmp_own_segment, burst(kBackendLink, {error(header)}));
  expect_nothing();
  from_client(data(0, Bytes(100, 'x')));
  const Sent behind = only(kBackendLink);
  burst(kBackendLink, {error(behind)});
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(get32(sent[0].frame, kTcpAt + 8 + 20 + 4), kIsn + 1) << "its own number";
  sent.clear();
}

TEST_F(ProxyHeader, IsNotSentToAClientThatNeverAcknowledges) {
  start({.proxy = kV2});
  answer_syn();
  pass(59'000);
  expect_nothing();
  pass(2000);
  EXPECT_EQ(flow(), FlowTable::kNone);
  sent.clear();
  EXPECT_EQ(events(Event::proxy_headers_sent), 0u);
}

}  // namespace
}  // namespace sluice::test
