// SPDX-License-Identifier: BSD-3-Clause
// Translation and shift: only the bytes meant change, checksums stay right, and there and back is
// where it began.
#include "dataplane/net/rewrite.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "dataplane/net/tcp_options.h"
#include "tests/unit/dataplane/net/frame_builder.h"
#include "tests/unit/dataplane/net/peers.h"
#include "tests/unit/sanitized.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::endpoint;
using test::get32;
using test::ip4;
using test::kBackend;
using test::kClient;
using test::kIpAt;
using test::kLocal;
using test::kTcpAt;
using test::kVip;
using namespace test::option;

std::set<size_t> changed_bytes(const Bytes& a, const Bytes& b) {
  std::set<size_t> changed;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) changed.insert(i);
  }
  return changed;
}

bool within(const std::set<size_t>& changed,
            std::initializer_list<std::pair<size_t, size_t>> spans) {
  for (const size_t at : changed) {
    bool allowed = false;
    for (const auto& [from, length] : spans) allowed |= at >= from && at < from + length;
    if (!allowed) return false;
  }
  return true;
}

Bytes random_bytes(std::mt19937& random, size_t length) {
  Bytes bytes(length);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random());
  return bytes;
}

TEST(Translate, ChangesAddressesPortsTtlAndChecksumsAlone) {
  const Bytes before = test::tcp_frame({.from = kClient, .to = kVip, .payload = {1, 2, 3}});
  Bytes frame = before;
  Packet packet = parse(frame);
  translate(packet, {kLocal, kBackend, make_deltas(kClient, kVip, kLocal, kBackend)});
  const Bytes wanted =
      test::tcp_frame({.from = kLocal, .to = kBackend, .payload = {1, 2, 3}, .ip = {.ttl = 63}});
  EXPECT_EQ(frame, wanted);
  EXPECT_TRUE(within(changed_bytes(before, frame),
                     {{kIpAt + 8, 1}, {kIpAt + 10, 10}, {kTcpAt, 4}, {kTcpAt + 16, 2}}));
}

TEST(Translate, UdpWithAndWithoutAChecksum) {
  std::mt19937 random(9);
  for (int round = 0; round < test::rounds(50'000); ++round) {
    const bool has_checksum = random() % 4 != 0;
    const Bytes payload = random_bytes(random, random() % 9);
    const auto of = [&](Ipv4Endpoint from, Ipv4Endpoint to, uint8_t ttl) {
      return test::udp_frame({.from = from,
                              .to = to,
                              .payload = payload,
                              .has_checksum = has_checksum,
                              .ip = {.ttl = ttl}});
    };
    const Ipv4Endpoint c{be32::from_host(static_cast<uint32_t>(random())),
                         be16::from_host(static_cast<uint16_t>(random() | 1))};
    const Ipv4Endpoint d{be32::from_host(random() % 4 == 0 ? 0xffffffff : random()), c.port};
    Bytes frame = of(kClient, kVip, 64);
    Packet packet = parse(frame);
    const Deltas deltas = make_deltas(kClient, kVip, c, d);
    translate(packet, {c, d, deltas});
    ASSERT_EQ(frame, of(c, d, 63)) << "round " << round;
    untranslate(packet, {kClient, kVip, deltas.reversed()});
    ASSERT_EQ(frame, of(kClient, kVip, 64)) << "round " << round;
  }
}

TEST(Translate, ChecksumsStayRightAndThereAndBackIsIdentity) {
  std::mt19937 random(8);
  const auto any = [&] {
    const uint32_t corner = random() % 8;
    const uint32_t ip = corner == 0 ? 0xffffffff : corner == 1 ? 0 : random();
    const auto port = static_cast<uint16_t>(corner == 2 ? 0xffff : random() | 1);
    return Ipv4Endpoint{be32::from_host(ip), be16::from_host(port)};
  };
  for (int round = 0; round < test::rounds(50'000); ++round) {
    const Ipv4Endpoint a = {be32::from_host(random() % 0x7e000000 + 0x01000000),
                            be16::from_host(1)};
    const Ipv4Endpoint b = any(), c = any(), d = any();
    const auto ttl = static_cast<uint8_t>(2 + random() % 254);
    const Bytes before = test::tcp_frame({.from = a,
                                          .to = b,
                                          .sequence = static_cast<uint32_t>(random()),
                                          .payload = random_bytes(random, random() % 40),
                                          .ip = {.ttl = ttl}});
    Bytes frame = before;
    Packet packet = test::tcp_checksum_right(frame) ? parse(frame) : Packet{};
    ASSERT_EQ(packet.kind, Packet::Kind::kTcp);
    const Deltas deltas = make_deltas(a, b, c, d);
    translate(packet, {c, d, deltas});
    ASSERT_TRUE(test::ip_checksum_right(frame)) << "round " << round;
    ASSERT_TRUE(test::tcp_checksum_right(frame)) << "round " << round;
    ASSERT_EQ(packet.ip->ttl, ttl - 1);
    translate(packet, {a, b, deltas.reversed()});
    packet.ip->ttl = ttl;
    test::fix_ip_checksum(frame);
    const size_t at = kTcpAt + 16;  // either zero will do
    if (test::get16(before, at) != 0) {
      ASSERT_EQ(frame, before);
    }
    ASSERT_TRUE(test::tcp_checksum_right(frame));
  }
}

TEST(SeqAdjust, InboundAddsToSequenceAndTsval) {
  struct Row {
    const char* name;
    Bytes options;
    size_t tsval;  // offset in the TCP header, 0: none
  };
  const Row rows[] = {
      {"no timestamps", {}, 0},
      {"as Linux sends them", nop(2) + timestamps(100, 200), 24},
      {"first", timestamps(100, 200), 22},
      {"at an odd offset", nop() + timestamps(100, 200), 23},
      {"at an odd offset, behind others", mss(1460) + window_scale(7) + timestamps(100, 200), 29},
  };
  const SeqAdjust shifts[] = {
      {0, 0}, {1, 0}, {0, 1}, {0xffffffff, 0x80000000}, {0xffff0000, 0x0000ffff}};
  for (const Row& row : rows) {
    for (const SeqAdjust adjust : shifts) {
      SCOPED_TRACE(testing::Message()
                   << row.name << " by " << adjust.sequence << ", " << adjust.timestamp);
      const Bytes before =
          test::tcp_frame({.sequence = 0xfffffff0, .acknowledgement = 7, .options = row.options});
      Bytes frame = before;
      adjust_inbound(*parse(frame).tcp, adjust);
      EXPECT_TRUE(test::tcp_checksum_right(frame));
      EXPECT_EQ(get32(frame, kTcpAt + 4), 0xfffffff0 + adjust.sequence);
      if (row.tsval != 0) {
        EXPECT_EQ(get32(frame, kTcpAt + row.tsval), 100 + adjust.timestamp);
      }
      EXPECT_TRUE(within(
          changed_bytes(before, frame),
          {{kTcpAt + 4, 4}, {kTcpAt + 16, 2}, {kTcpAt + row.tsval, row.tsval == 0 ? 0u : 4u}}));
    }
  }
}

TEST(SeqAdjust, OutboundTakesOffAcknowledgementSackAndTsecr) {
  const SeqAdjust adjust{0x10000001, 0x00ff00ff};
  for (const size_t pad : {0, 1, 2, 3}) {  // every alignment
    const Bytes options = nop(pad) + timestamps(100, 200) + sack({5, 6, 0xffffffff, 8});
    const Bytes before = test::tcp_frame({.sequence = 3, .acknowledgement = 4, .options = options});
    Bytes frame = before;
    adjust_outbound(*parse(frame).tcp, adjust);
    EXPECT_TRUE(test::tcp_checksum_right(frame));
    const size_t at = kTcpAt + 20 + pad;
    const Bytes wanted =
        test::tcp_frame({.sequence = 3,
                         .acknowledgement = 4 - adjust.sequence,
                         .options = nop(pad) + timestamps(100, 200 - adjust.timestamp) +
                                    sack({5 - adjust.sequence, 6 - adjust.sequence,
                                          0xffffffff - adjust.sequence, 8 - adjust.sequence})});
    EXPECT_EQ(frame, wanted) << "pad " << pad;
    EXPECT_EQ(get32(frame, at + 2), 100u) << "TSval is the backend's own";
  }
}

TEST(SeqAdjust, OutboundWithoutAckMeansNothing) {
  const Bytes before =
      test::tcp_frame({.flags = tcp_flag::kRst, .acknowledgement = 9, .options = timestamps(1, 2)});
  Bytes frame = before;
  adjust_outbound(*parse(frame).tcp, {5, 5});
  EXPECT_EQ(frame, before);
}

TEST(SeqAdjust, WhatTheBackendEchoesComesHome) {
  std::mt19937 random(9);
  for (int round = 0; round < test::rounds(50'000); ++round) {
    const SeqAdjust adjust{random() % 3 == 0 ? 0 : static_cast<uint32_t>(random()),
                           random() % 3 == 0 ? 0 : static_cast<uint32_t>(random())};
    const auto sequence = static_cast<uint32_t>(random());
    const auto tsval = static_cast<uint32_t>(random());
    Bytes there = test::tcp_frame(
        {.sequence = sequence, .options = nop(random() % 4) + timestamps(tsval, 0)});
    const Packet sent = parse(there);
    adjust_inbound(*sent.tcp, adjust);
    ASSERT_TRUE(test::tcp_checksum_right(there));
    const uint8_t at = static_cast<uint8_t>(kTcpAt + find_timestamps(*sent.tcp));
    const uint32_t seen_tsval = get32(there, at), seen = sent.tcp->sequence.host();
    Bytes back = test::tcp_frame(
        {.acknowledgement = seen,
         .options = nop(random() % 4) + timestamps(1, seen_tsval) + sack({seen + 10, seen + 20}),
         .payload = random_bytes(random, random() % 9)});
    Packet answer = parse(back);
    adjust_outbound(*answer.tcp, adjust);
    ASSERT_TRUE(test::tcp_checksum_right(back));
    const TcpOptions options = parse_tcp_options(*answer.tcp);
    ASSERT_EQ(answer.tcp->acknowledgement.host(), sequence);
    ASSERT_EQ(tcp_word_at(*answer.tcp, static_cast<uint8_t>(options.timestamps_offset + 4)).host(),
              tsval);
    ASSERT_EQ(tcp_word_at(*answer.tcp, options.sack_offset).host(), sequence + 10);
    ASSERT_EQ(tcp_word_at(*answer.tcp, static_cast<uint8_t>(options.sack_offset + 4)).host(),
              sequence + 20);
  }
}

}  // namespace
}  // namespace sluice::net
