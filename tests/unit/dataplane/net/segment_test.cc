// SPDX-License-Identifier: BSD-3-Clause
// Segments and ARP frames of our own.
#include "dataplane/net/segment.h"

#include <gtest/gtest.h>

#include "dataplane/net/arp.h"
#include "tests/unit/dataplane/net/frame_builder.h"
#include "tests/unit/dataplane/net/peers.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::endpoint;
using test::ip4;
using test::kClient;
using test::kIpAt;
using test::kVip;

TEST(Reset, IsWrittenWhole) {
  for (const bool has_ack : {false, true}) {
    Bytes frame(54, 0xee);
    write_reset(frame, {kVip, kClient, 0xfedcba98, 0x89abcdef, has_ack});
    const uint8_t flags = tcp_flag::kRst | (has_ack ? tcp_flag::kAck : 0);
    Bytes wanted = test::tcp_frame({.from = kVip,
                                    .to = kClient,
                                    .flags = flags,
                                    .sequence = 0xfedcba98,
                                    .acknowledgement = has_ack ? 0x89abcdef : 0,
                                    .window = 0});
    wanted[kIpAt + 4] = wanted[kIpAt + 5] = 0;  // atomic datagrams need no id (RFC 6864)
    test::fix_ip_checksum(wanted);
    EXPECT_EQ(test::slice(frame, kIpAt, frame.size()), test::slice(wanted, kIpAt, wanted.size()));
    EXPECT_EQ(test::slice(frame, 0, kIpAt), Bytes(kIpAt, 0xee))
        << "the Ethernet header is not ours";
  }
}

// RFC 9293, section 3.10.7.1.
TEST(Reset, AnswersAsAHostWithoutAConnection) {
  using namespace tcp_flag;
  struct Row {
    const char* name;
    uint8_t flags;
    uint32_t sequence, acknowledgement;
    size_t payload;
    ResetFields answer;
  };
  const Row rows[] = {
      {"SYN", kSyn, 100, 0, 0, {kVip, kClient, 0, 101, true}},
      {"SYN with data", kSyn, 100, 0, 10, {kVip, kClient, 0, 111, true}},
      {"SYN at the wrap", kSyn, 0xffffffff, 0, 0, {kVip, kClient, 0, 0, true}},
      {"FIN without ACK", kFin, 100, 0, 3, {kVip, kClient, 0, 104, true}},
      {"ACK", kAck, 100, 500, 0, {kVip, kClient, 500, 0, false}},
      {"data", kAck | kPsh, 100, 500, 10, {kVip, kClient, 500, 0, false}},
      {"SYN-ACK", kSyn | kAck, 100, 500, 0, {kVip, kClient, 500, 0, false}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Bytes frame = test::tcp_frame({.from = kClient,
                                   .to = kVip,
                                   .flags = row.flags,
                                   .sequence = row.sequence,
                                   .acknowledgement = row.acknowledgement,
                                   .payload = Bytes(row.payload)});
    const ResetFields answer = reset_answer(parse(frame));
    EXPECT_EQ(answer.source, row.answer.source);
    EXPECT_EQ(answer.destination, row.answer.destination);
    EXPECT_EQ(answer.sequence, row.answer.sequence);
    EXPECT_EQ(answer.has_acknowledgement, row.answer.has_acknowledgement);
    if (answer.has_acknowledgement) {
      EXPECT_EQ(answer.acknowledgement, row.answer.acknowledgement);
    }
  }
}

TEST(OwnSegment, DataIsCutOffAndChecksumsMadeRight) {
  for (const Bytes& ip_options : {Bytes{}, Bytes(40, 1)}) {
    const Bytes options = test::option::mss(1460) + test::option::timestamps(1, 0);
    Bytes frame = test::tcp_frame({.flags = tcp_flag::kSyn,
                                   .options = options,
                                   .payload = Bytes(33, 9),
                                   .ip = {.options = ip_options}});
    const Bytes wanted = test::tcp_frame(
        {.flags = tcp_flag::kSyn, .options = options, .ip = {.options = ip_options}});
    frame.resize(wanted.size());
    finish_own_segment(frame.data(), static_cast<uint16_t>(frame.size() - kIpAt));
    EXPECT_EQ(frame, wanted);
    const Packet packet = view_own_segment(frame.data());
    const Packet parsed = parse(frame);
    EXPECT_EQ(packet.kind, Packet::Kind::kTcp);
    EXPECT_EQ(packet.ip, parsed.ip);
    EXPECT_EQ(packet.tcp, parsed.tcp);
    EXPECT_EQ(packet.l4_length, parsed.l4_length);
  }
}

TEST(Arp, AnswerInPlace) {
  Bytes frame = test::arp_frame(
      {.sender_mac = test::mac(7), .sender_ip = ip4(10, 1, 0, 7), .target_ip = ip4(10, 3, 0, 1)});
  const Packet packet = parse(frame);
  arp_answer(*packet.ethernet, *packet.arp, test::mac(1));
  EXPECT_EQ(frame, test::arp_frame({.operation = 2,
                                    .sender_mac = test::mac(1),
                                    .sender_ip = ip4(10, 3, 0, 1),
                                    .target_mac = test::mac(7),
                                    .target_ip = ip4(10, 1, 0, 7),
                                    .to = test::mac(7)}));
}

TEST(Arp, RequestProbeAndAnnouncement) {
  struct Row {
    const char* name;
    Ipv4Address sender, target;
    MacAddress to;
  };
  const Row rows[] = {
      {"request", ip4(10, 2, 0, 254), ip4(10, 2, 0, 10), kBroadcastMac},
      {"unicast probe", ip4(10, 2, 0, 254), ip4(10, 2, 0, 10), test::mac(10)},
      {"announcement", ip4(10, 3, 0, 1), ip4(10, 3, 0, 1), kBroadcastMac},
  };
  for (const Row& row : rows) {
    Bytes frame(kArpFrameLength, 0xee);
    arp_request(frame, test::mac(2), row.sender, row.target, row.to);
    EXPECT_EQ(frame, test::arp_frame({.sender_mac = test::mac(2),
                                      .sender_ip = row.sender,
                                      .target_ip = row.target,
                                      .to = row.to}))
        << row.name;
  }
}

}  // namespace
}  // namespace sluice::net
