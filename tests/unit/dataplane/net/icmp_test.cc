// SPDX-License-Identifier: BSD-3-Clause
// ICMP: echo answers, and errors about translated packets (RFC 5508).
#include "dataplane/net/icmp.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/net/frame_builder.h"
#include "tests/unit/dataplane/net/peers.h"
#include "tests/unit/sanitized.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::endpoint;
using test::get16;
using test::get32;
using test::ip4;
using test::kBackend;
using test::kClient;
using test::kIpAt;
using test::kLocal;
using test::kTcpAt;
using test::kVip;

constexpr size_t kQuotedIpAt = kTcpAt + 8;

// An error from `router` to the local address, quoting `quoted` bytes of a packet local > backend.
Bytes error_quoting(size_t quoted, const Bytes& ip_options = {}) {
  const Bytes inner = test::tcp_frame({.from = kLocal,
                                       .to = kBackend,
                                       .sequence = 1000,
                                       .payload = Bytes(64, 3),
                                       .ip = {.ttl = 1, .options = ip_options}});
  return test::icmp_frame({.source = ip4(10, 2, 0, 254), .destination = kLocal.ip}, 11, 0, 0,
                          test::slice(inner, kIpAt, kIpAt + quoted));
}

TEST(IcmpEcho, AnswerSwapsAddressesAndKeepsTheRest) {
  for (size_t size = 0; size <= 65; ++size) {  // odd sizes too
    Bytes data(size);
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<uint8_t>(i * 37);
    Bytes frame = test::icmp_frame({.ttl = 1}, 8, 0, 0x00070001, data);
    Packet packet = parse(frame);
    ASSERT_EQ(packet.kind, Packet::Kind::kIcmp);
    ASSERT_TRUE(icmp_checksum_ok(packet));
    icmp_echo_answer(packet);
    const Bytes wanted = test::icmp_frame(
        {.source = ip4(10, 3, 0, 1), .destination = ip4(10, 1, 0, 1)}, 0, 0, 0x00070001, data);
    ASSERT_EQ(frame, wanted) << size;
  }
}

TEST(IcmpEcho, WrongChecksumIsSeen) {
  Bytes frame = test::icmp_frame({}, 8, 0, 1, Bytes(13, 5));
  frame.back() ^= 1;
  EXPECT_FALSE(icmp_checksum_ok(parse(frame)));
}

TEST(IcmpError, TypesThatArePassedOn) {
  for (int type = 0; type < 256; ++type) {
    const bool error = type == 3 || type == 11 || type == 12;
    EXPECT_EQ(icmp_is_error({static_cast<uint8_t>(type), 0, {}, {}}), error) << type;
  }
}

TEST(IcmpError, Quoted) {
  Bytes frame = error_quoting(28);
  Packet packet = parse(frame);
  const auto quoted = icmp_quoted(packet);
  ASSERT_TRUE(quoted);
  EXPECT_EQ(quoted->source, kLocal);
  EXPECT_EQ(quoted->destination, kBackend);
  EXPECT_EQ(quoted->tcp->sequence.host(), 1000u);
}

TEST(IcmpError, QuotesThatSayNothing) {
  struct Row {
    const char* name;
    Bytes frame;
  };
  const auto with = [](size_t at, uint8_t value) {
    Bytes frame = error_quoting(40);
    frame[kQuotedIpAt + at] = value;
    test::fix_icmp_checksum(frame);
    return frame;
  };
  const Row rows[] = {
      {"nothing", error_quoting(0)},
      {"IP alone", error_quoting(20)},
      {"seven bytes of TCP", error_quoting(27)},
      {"IP options push TCP out", error_quoting(28, Bytes(4, 1))},
      {"version 6", with(0, 0x65)},
      {"header of 16 bytes", with(0, 0x44)},
      {"header beyond the packet", with(0, 0x4f)},
      {"GRE", with(9, 47)},
      {"a later fragment", with(7, 5)},
      {"a first fragment", with(6, 0x20)},
  };
  for (const Row& row : rows) {
    Bytes frame = row.frame;
    Packet packet = parse(frame);
    ASSERT_EQ(packet.kind, Packet::Kind::kIcmp) << row.name;
    EXPECT_FALSE(icmp_quoted(packet)) << row.name;
  }
}

TEST(IcmpError, TranslationGivesTheSenderItsOwnPacketBack) {
  for (const size_t quoted_length : {28, 29, 40, 63, 100}) {
    for (const Bytes& options : {Bytes{}, Bytes(12, 1)}) {
      SCOPED_TRACE(testing::Message() << quoted_length << " quoted, IP options " << options.size());
      Bytes frame = error_quoting(quoted_length + options.size(), options);
      const Bytes before = frame;
      Packet packet = parse(frame);
      auto quoted = icmp_quoted(packet);
      ASSERT_TRUE(quoted);
      icmp_translate_error(packet, *quoted, kVip.ip, kClient.ip, kClient, kVip, 0 - 900u);
      EXPECT_TRUE(test::ip_checksum_right(frame));
      EXPECT_TRUE(test::icmp_checksum_right(frame));
      const size_t inner_header = 20 + options.size();
      EXPECT_EQ(test::reference_checksum(std::span(frame).subspan(kQuotedIpAt, inner_header)), 0);
      EXPECT_EQ(packet.ip->source, kVip.ip);
      EXPECT_EQ(packet.ip->destination, kClient.ip);
      EXPECT_EQ(packet.ip->ttl, 63);
      const size_t tcp = kQuotedIpAt + inner_header;
      EXPECT_EQ(get32(frame, kQuotedIpAt + 12), kClient.ip.host());
      EXPECT_EQ(get32(frame, kQuotedIpAt + 16), kVip.ip.host());
      EXPECT_EQ(get16(frame, tcp), 40000);
      EXPECT_EQ(get16(frame, tcp + 2), 80);
      EXPECT_EQ(get32(frame, tcp + 4), 100u);
      EXPECT_EQ(test::slice(frame, tcp + 8, frame.size()),
                test::slice(before, tcp + 8, before.size()));
      EXPECT_EQ(frame[kTcpAt], 11);
    }
  }
}

TEST(IcmpError, QuotedUdpIsAsItsSenderSentIt) {
  for (const bool has_checksum : {true, false}) {
    for (const size_t payload : {0, 1, 5, 64}) {
      const Bytes udp(payload, 0x77);
      const test::Ip outer{.source = kBackend.ip, .destination = kLocal.ip};
      const auto quote = [&](Ipv4Endpoint from, Ipv4Endpoint to) {
        const Bytes frame =
            test::udp_frame({.from = from, .to = to, .payload = udp, .has_checksum = has_checksum});
        return test::slice(frame, kIpAt, frame.size());
      };
      Bytes frame = test::icmp_frame(outer, 3, 3, 0, quote(kLocal, kBackend));
      Packet packet = parse(frame);
      auto quoted = icmp_quoted(packet);
      ASSERT_TRUE(quoted);
      EXPECT_EQ(quoted->protocol, Protocol::kUdp);
      icmp_translate_error(packet, *quoted, kVip.ip, kClient.ip, kClient, kVip, 77);
      EXPECT_EQ(test::slice(frame, kQuotedIpAt, frame.size()), quote(kClient, kVip));
      EXPECT_TRUE(test::icmp_checksum_right(frame));
    }
  }
}

TEST(IcmpError, InnerChecksumStaysRightForAnyAddresses) {
  std::mt19937 random(10);
  for (int round = 0; round < test::rounds(20'000); ++round) {
    Bytes frame = error_quoting(28);
    Packet packet = parse(frame);
    const Ipv4Endpoint a{be32::from_host(static_cast<uint32_t>(random())), be16::from_host(1)};
    const Ipv4Endpoint b{be32::from_host(random() % 4 == 0 ? 0xffffffff : random()),
                         be16::from_host(2)};
    icmp_translate_error(packet, *icmp_quoted(packet), b.ip, a.ip, a, b,
                         static_cast<uint32_t>(random()));
    ASSERT_EQ(test::reference_checksum(std::span(frame).subspan(kQuotedIpAt, 20)), 0);
    ASSERT_TRUE(test::icmp_checksum_right(frame));
  }
}

}  // namespace
}  // namespace sluice::net
