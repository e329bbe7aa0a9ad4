// SPDX-License-Identifier: BSD-3-Clause
// parse(): every reason that it gives, every truncation, and garbage.
#include "dataplane/net/parse.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::kIpAt;
using test::kTcpAt;

/// What is parsed in line is what step by step comes of it.
Packet parse_twice(std::span<uint8_t> frame) {
  const Packet packet = parse(frame);
  Packet again{};
  parse_any(frame, again);
  EXPECT_EQ(packet.kind, again.kind);
  EXPECT_EQ(packet.reason, again.reason);
  EXPECT_EQ(packet.l4_length, again.l4_length);
  EXPECT_EQ(packet.ethernet, again.ethernet);
  EXPECT_EQ(packet.ip, again.ip);
  EXPECT_EQ(packet.tcp, again.tcp);
  return packet;
}

// The frame in an allocation of exactly its size: a read beyond it is an ASan report.
Packet parse_exact(const Bytes& frame) {
  static std::unique_ptr<uint8_t[]> copy;
  copy = std::make_unique<uint8_t[]>(frame.size());
  std::copy(frame.begin(), frame.end(), copy.get());
  return parse_twice({copy.get(), frame.size()});
}

Bytes changed(Bytes frame, std::function<void(Bytes&)> change, bool fix = true) {
  change(frame);
  if (fix) test::fix_ip_checksum(frame);
  return frame;
}

TEST(Parse, Accepts) {
  using Kind = Packet::Kind;
  const Bytes tcp = test::tcp_frame({.payload = {1, 2, 3}});
  struct Row {
    const char* name;
    Bytes frame;
    Kind kind;
    int l4_length;
  };
  const Row rows[] = {
      {"TCP", tcp, Kind::kTcp, 23},
      {"TCP behind Ethernet padding", tcp + Bytes(9, 0xaa), Kind::kTcp, 23},
      {"TCP behind IP options", test::tcp_frame({.ip = {.options = Bytes(40, 1)}}), Kind::kTcp, 20},
      {"TCP with 40 bytes of options", test::tcp_frame({.options = Bytes(40, 1)}), Kind::kTcp, 60},
      {"TTL is for the stages to judge", test::tcp_frame({.ip = {.ttl = 0}}), Kind::kTcp, 20},
      {"ECN flags", test::tcp_frame({.flags = 0xc2}), Kind::kTcp, 20},
      {"echo request", test::icmp_frame({}, 8, 0, 1, {}), Kind::kIcmp, 8},
      {"don't fragment is no fragment", test::tcp_frame({.ip = {.fragment = 0x4000}}), Kind::kTcp,
       20},
      {"UDP", test::udp_frame({.payload = {1, 2, 3}}), Kind::kUdp, 11},
      {"UDP without payload or checksum", test::udp_frame({.has_checksum = false}), Kind::kUdp, 8},
      {"UDP behind IP options", test::udp_frame({.ip = {.options = Bytes(40, 1)}}), Kind::kUdp, 8},
      {"ARP", test::arp_frame({}), Kind::kArp, 0},
      {"ARP behind padding", test::arp_frame({}) + Bytes(18), Kind::kArp, 0},
      {"ARP probe without a sender address", test::arp_frame({.sender_ip = {}}), Kind::kArp, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Packet packet = parse_exact(row.frame);
    EXPECT_EQ(packet.kind, row.kind);
    EXPECT_EQ(packet.l4_length, row.l4_length);
  }
}

using R = DropReason;

struct Refused {
  const char* name;
  Bytes frame;
  R reason;
};

void expect_refused(const std::vector<Refused>& rows) {
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.name);
    const Packet packet = parse_exact(row.frame);
    ASSERT_EQ(packet.kind, Packet::Kind::kBad);
    EXPECT_EQ(test::name_of(packet.reason), test::name_of(row.reason));
  }
}

TEST(Parse, RefusesUdp) {
  const Bytes udp = test::udp_frame({.payload = Bytes(100)});
  const auto length = [&](uint16_t value) {
    Bytes frame = udp;
    test::store_checksum(frame, kTcpAt + 4, value);
    return frame;
  };
  const auto port = [&](size_t at) {
    Bytes frame = udp;
    test::store_checksum(frame, at, 0);
    return frame;
  };
  expect_refused({
      {"length 0", length(0), R::udp_header_bad},
      {"length 7", length(7), R::udp_header_bad},
      {"longer than IP's", length(109), R::udp_header_bad},
      {"longest", length(65535), R::udp_header_bad},
      {"source port 0", port(kTcpAt), R::udp_header_bad},
      {"destination port 0", port(kTcpAt + 2), R::udp_header_bad},
      {"seven bytes", test::ip_frame({.protocol = kProtocolUdp}, Bytes(7, 1)), R::udp_header_bad},
      {"none", test::ip_frame({.protocol = kProtocolUdp}, {}), R::udp_header_bad},
      {"a fragment", test::udp_frame({.ip = {.fragment = 0x2000}}), R::ipv4_fragment},
  });
  EXPECT_EQ(parse_exact(length(8)).kind, Packet::Kind::kUdp);
}

TEST(Parse, RefusesEthernetAndIp) {
  const Bytes tcp = test::tcp_frame({});
  const auto from = [](uint8_t first) {
    return test::tcp_frame({.from = test::endpoint(test::ip4(first, 1, 2, 3), 1)});
  };
  expect_refused({
      {"nothing", {}, R::frame_truncated},
      {"LLDP", changed(tcp, [](Bytes& f) { f[12] = 0x88, f[13] = 0xcc; }), R::ethertype_unknown},
      {"VLAN", changed(tcp, [](Bytes& f) { f[12] = 0x81; }), R::ethertype_unknown},
      {"802.3 length", changed(tcp, [](Bytes& f) { f[12] = 0, f[13] = 40; }), R::ethertype_unknown},
      {"IP version 6", changed(tcp, [](Bytes& f) { f[kIpAt] = 0x65; }), R::ipv4_header_bad},
      {"header of 16 bytes", changed(tcp, [](Bytes& f) { f[kIpAt] = 0x44; }), R::ipv4_header_bad},
      {"header longer than the packet",
       changed(
           tcp, [](Bytes& f) { f[kIpAt] = 0x4f; }, false),
       R::ipv4_header_bad},
      {"total length below the header", changed(tcp, [](Bytes& f) { f[kIpAt + 3] = 19; }),
       R::ipv4_header_bad},
      {"total length 0", changed(tcp, [](Bytes& f) { f[kIpAt + 3] = 0; }), R::ipv4_header_bad},
      {"total length beyond the frame", changed(tcp, [](Bytes& f) { ++f[kIpAt + 3]; }),
       R::frame_truncated},
      {"IP checksum",
       changed(
           tcp, [](Bytes& f) { ++f[kIpAt + 10]; }, false),
       R::ipv4_checksum_bad},
      {"source 0.x", from(0), R::ipv4_source_bad},
      {"source loopback", from(127), R::ipv4_source_bad},
      {"source multicast", from(224), R::ipv4_source_bad},
      {"source broadcast", from(255), R::ipv4_source_bad},
      {"first fragment", test::tcp_frame({.ip = {.fragment = 0x2000}}), R::ipv4_fragment},
      {"last fragment", test::tcp_frame({.ip = {.fragment = 0x00b9}}), R::ipv4_fragment},
      {"GRE", changed(tcp, [](Bytes& f) { f[kIpAt + 9] = 47; }), R::protocol_unknown},
  });
}

TEST(Parse, RefusesTcp) {
  const Bytes tcp = test::tcp_frame({});
  const auto flags = [](uint8_t f) { return test::tcp_frame({.flags = f}); };
  expect_refused({
      {"TCP header cut by the total length", changed(tcp, [](Bytes& f) { f[kIpAt + 3] = 39; }),
       R::tcp_header_bad},
      {"TCP offset 4", changed(tcp, [](Bytes& f) { f[kTcpAt + 12] = 0x40; }), R::tcp_header_bad},
      {"TCP offset 0", changed(tcp, [](Bytes& f) { f[kTcpAt + 12] = 0; }), R::tcp_header_bad},
      {"TCP offset beyond the segment", changed(tcp, [](Bytes& f) { f[kTcpAt + 12] = 0x60; }),
       R::tcp_header_bad},
      {"source port 0", test::tcp_frame({.from = test::endpoint(test::ip4(10, 1, 0, 1), 0)}),
       R::tcp_header_bad},
      {"destination port 0", test::tcp_frame({.to = test::endpoint(test::ip4(10, 3, 0, 1), 0)}),
       R::tcp_header_bad},
      {"null scan", flags(0), R::tcp_flags_bad},
      {"PSH and URG alone", flags(0x28), R::tcp_flags_bad},
      {"SYN FIN", flags(0x03), R::tcp_flags_bad},
      {"SYN RST", flags(0x06), R::tcp_flags_bad},
      {"FIN RST", flags(0x05), R::tcp_flags_bad},
      {"everything", flags(0x3f), R::tcp_flags_bad},
  });
}

TEST(Parse, RefusesIcmpAndArp) {
  const Bytes arp = test::arp_frame({});
  expect_refused({
      {"ICMP of seven bytes", test::ip_frame({.protocol = 1}, Bytes(7)), R::icmp_bad},
      {"ARP for Token Ring",
       changed(
           arp, [](Bytes& f) { f[kIpAt + 1] = 6; }, false),
       R::arp_bad},
      {"ARP for IPX",
       changed(
           arp, [](Bytes& f) { f[kIpAt + 2] = 0x81; }, false),
       R::arp_bad},
      {"ARP with long hardware addresses",
       changed(
           arp, [](Bytes& f) { f[kIpAt + 4] = 8; }, false),
       R::arp_bad},
      {"ARP with long protocol addresses",
       changed(
           arp, [](Bytes& f) { f[kIpAt + 5] = 16; }, false),
       R::arp_bad},
      {"ARP from a group", test::arp_frame({.sender_mac = kBroadcastMac}), R::arp_bad},
  });
}

TEST(Parse, FlagsOfConnectionsPass) {
  using namespace tcp_flag;
  for (const uint8_t flags : {kSyn, kAck, kFin, kRst, uint8_t(kSyn | kAck), uint8_t(kFin | kAck),
                              uint8_t(kRst | kAck), uint8_t(kPsh | kAck)}) {
    EXPECT_EQ(parse_exact(test::tcp_frame({.flags = flags})).kind, Packet::Kind::kTcp)
        << int{flags};
  }
}

TEST(Parse, EveryTruncationIsRefused) {
  const Bytes frames[] = {
      test::tcp_frame({.options = test::option::timestamps(1, 2), .payload = Bytes(40, 7)}),
      test::tcp_frame({.payload = Bytes(5), .ip = {.options = Bytes(8, 1)}}),
      test::icmp_frame({}, 8, 0, 1, Bytes(20)),
      test::arp_frame({}),
  };
  for (const Bytes& frame : frames) {
    for (size_t length = 0; length < frame.size(); ++length) {
      const Packet packet = parse_exact(test::slice(frame, 0, length));
      ASSERT_EQ(packet.kind, Packet::Kind::kBad) << length << " of " << frame.size();
      EXPECT_EQ(packet.reason, DropReason::frame_truncated);
    }
    EXPECT_NE(parse_exact(frame).kind, Packet::Kind::kBad);
  }
}

TEST(Parse, SequenceSpace) {
  struct Row {
    uint8_t flags;
    size_t payload;
    uint32_t length;
  };
  using namespace tcp_flag;
  const Row rows[] = {
      {kAck, 0, 0}, {kAck, 5, 5},        {kSyn, 0, 1},
      {kSyn, 5, 6}, {kFin | kAck, 0, 1}, {kFin | kAck, 5, 6},
  };
  for (const Row& row : rows) {
    Bytes frame = test::tcp_frame(
        {.flags = row.flags, .sequence = 0xfffffffe, .payload = Bytes(row.payload)});
    const Packet packet = parse(frame);
    EXPECT_EQ(packet.payload_length(), row.payload);
    EXPECT_EQ(packet.sequence_length(), row.length);
    EXPECT_EQ(packet.sequence_end(), 0xfffffffe + row.length);
  }
}

// Whatever comes: no read outside (ASan), nothing changed, and what is accepted lies inside.
TEST(Parse, Garbage) {
  std::mt19937 random(7);
  const Bytes seeds[] = {
      test::tcp_frame({.options = Bytes(12, 1), .payload = Bytes(8)}),
      test::icmp_frame({}, 3, 1, 0, test::slice(test::tcp_frame({}), kIpAt, kTcpAt + 8)),
      test::arp_frame({}),
  };
  for (int round = 0; round < 100'000; ++round) {
    Bytes frame = seeds[round % 3];
    for (uint32_t i = random() % 6; i > 0; --i) {
      frame[12 + random() % (frame.size() - 12)] = static_cast<uint8_t>(random());
    }
    frame.resize(random() % 4 == 0 ? random() % (frame.size() + 1) : frame.size());
    if (frame.size() >= kIpAt + 60 && random() % 2 == 0) test::fix_ip_checksum(frame);
    auto copy = std::make_unique<uint8_t[]>(frame.size());
    std::copy(frame.begin(), frame.end(), copy.get());
    const Packet packet = parse_twice({copy.get(), frame.size()});
    ASSERT_TRUE(std::equal(frame.begin(), frame.end(), copy.get()));
    if (packet.kind != Packet::Kind::kTcp) continue;
    const auto* end = reinterpret_cast<uint8_t*>(packet.tcp) + packet.l4_length;
    ASSERT_LE(end, copy.get() + frame.size());
    ASSERT_LE(packet.tcp->header_length(), packet.l4_length);
  }
}

}  // namespace
}  // namespace sluice::net
