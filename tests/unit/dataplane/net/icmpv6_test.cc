// SPDX-License-Identifier: BSD-3-Clause
// ICMPv6: echo answers, which errors are allowed, and what they quote.
#include "dataplane/net/icmpv6.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::ip6;

TEST(Icmpv6Echo, AnswerSwapsAddressesAndKeepsTheRest) {
  for (size_t size = 0; size <= 65; ++size) {  // odd sizes too
    Bytes data(size);
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<uint8_t>(i * 37);
    const Ipv6Address asker = ip6(1, 1), vip = ip6(3, static_cast<uint16_t>(size * 1001));
    const auto packet = [&](Ipv6Address source, Ipv6Address destination, uint8_t type) {
      return test::ip6_packet({.source = source,
                               .destination = destination,
                               .next_header = 58,
                               .hop_limit = static_cast<uint8_t>(type == 128 ? 3 : 64),
                               .traffic_class = 0x28,
                               .flow_label = 0x12345},
                              test::icmp6(source, destination, type, 0, 0x00070001, data));
    };
    Bytes bytes = packet(asker, vip, 128);
    icmpv6_echo_answer(*reinterpret_cast<Ipv6Header*>(bytes.data()),
                       *reinterpret_cast<Icmpv6Header*>(bytes.data() + 40));
    ASSERT_EQ(bytes, packet(vip, asker, 129)) << size;
  }
}

TEST(Icmpv6Error, TypesThatArePassedOn) {
  for (int type = 0; type < 256; ++type) {
    EXPECT_EQ(icmpv6_is_error(static_cast<uint8_t>(type)), type >= 1 && type <= 4) << type;
  }
}

TEST(Icmpv6Error, IsNotAllowedToAnswerEverything) {  // RFC 4443, section 2.4 (e)
  struct Row {
    const char* name;
    test::Ip6 ip;
    Bytes behind;
    uint8_t type = 1, code = 0;
    bool allowed = false;
  };
  const Bytes options_and_error = Bytes{58, 0, 1, 4, 0, 0, 0, 0} + Bytes{1, 4};
  const Row rows[] = {
      {"TCP", {}, Bytes(20), 1, 0, true},
      {"UDP of nothing", {.next_header = 17}, {}, 1, 0, true},
      {"from a group", {.source = kAllNodes}, Bytes(20)},
      {"from ::", {.source = {}}, Bytes(20)},
      {"to a group", {.destination = kAllNodes}, Bytes(20)},
      {"to a group, unknown header", {.destination = kAllNodes}, Bytes(20), 4, 1},
      {"to a group, too big", {.destination = kAllNodes}, Bytes(20), 2, 0, true},
      {"to a group, unknown option", {.destination = kAllNodes}, Bytes(20), 4, 2, true},
      {"echo request", {.next_header = 58}, {128}, 3, 0, true},
      {"an error", {.next_header = 58}, {1, 4}},
      {"an error nobody knows", {.next_header = 58}, {127}},
      {"redirect", {.next_header = 58}, {137}},
      {"error behind options", {.next_header = 60}, options_and_error},
      {"ICMPv6 cut off", {.next_header = 58}, {}},
      {"fragment of ICMPv6", {.next_header = 44}, Bytes{58, 0, 0, 1, 0, 0, 0, 9} + Bytes{128}},
      {"fragment of UDP", {.next_header = 44}, Bytes{17, 0, 0, 1, 0, 0, 0, 9}, 3, 1, true},
  };
  for (const Row& row : rows) {
    const Bytes packet = test::ip6_packet(row.ip, row.behind);
    const auto& ip = *reinterpret_cast<const Ipv6Header*>(packet.data());
    const Ipv6Payload payload = find_upper_layer(ip, row.behind);
    EXPECT_EQ(icmpv6_error_allowed(ip, payload, row.behind, row.type, row.code), row.allowed)
        << row.name;
  }
}

TEST(Icmpv6Error, QuotesWhatFits) {
  const Ipv6Address vip = ip6(3, 1), client = ip6(1, 1);
  for (const size_t payload : {0, 1, 1191, 1192, 1193, 1460}) {
    const Bytes packet =
        test::ip6_packet({.source = client, .destination = vip}, Bytes(payload, 7));
    const Bytes quote = test::slice(packet, 0, std::min<size_t>(packet.size(), 1232));
    const Bytes wanted = Bytes(14, 0xee) +
                         test::ip6_packet({.source = vip, .destination = client, .next_header = 58},
                                          test::icmp6(vip, client, 2, 0, 1400, quote));
    Bytes frame(kIcmpv6ErrorFrameLengthMax, 0xee);
    const Icmpv6Error fields{vip, client, icmpv6_type::kPacketTooBig, 0, 1400};
    const uint16_t length = write_icmpv6_error(frame, fields, packet);
    frame.resize(length);
    EXPECT_EQ(frame, wanted) << payload;
    EXPECT_LE(frame.size(), 14u + 1280);
  }
}

}  // namespace
}  // namespace sluice::net
