// SPDX-License-Identifier: BSD-3-Clause
// Neighbour discovery: what is valid, and what is written.
#include "dataplane/net/nd.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::bytes_of;
using test::ip6;

constexpr Ipv6Address kAsker = ip6(1, 0x99), kAsked = ip6(3, 0x1234);
constexpr MacAddress kAskerMac = test::mac(99), kOurMac = test::mac(1);

Bytes link_option(uint8_t type, const MacAddress& mac = kAskerMac) {
  return Bytes{type, 1} + bytes_of(mac);
}

struct NdRow {
  const char* name;
  uint8_t type = 135;
  uint32_t flags = 0;
  Ipv6Address target = kAsked;
  Bytes options = link_option(1);
  Ipv6Address source = kAsker;
  Ipv6Address destination = solicited_node_multicast(kAsked);
  uint8_t hop_limit = 255;
  uint8_t code = 0;
  size_t cut = 0;  // bytes off the end
};

std::optional<NdMessage> read_row(const NdRow& row) {
  Bytes message = test::icmp6(row.source, row.destination, row.type, row.code, row.flags,
                              bytes_of(row.target) + row.options);
  message.resize(message.size() - row.cut);
  return read_nd(Bytes(message), row.hop_limit, row.source, row.destination);
}

TEST(NdRead, Solicitation) {
  const auto read = read_row({.name = "plain", .flags = 0xffffffff});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, NdType::kSolicitation);
  EXPECT_EQ(read->target, kAsked);
  EXPECT_EQ(read->link_address, kAskerMac);
  EXPECT_FALSE(read->is_dad || read->is_router || read->is_solicited || read->overrides);
}

TEST(NdRead, SolicitationOfDuplicateAddressDetection) {
  const auto read = read_row({.name = "DAD", .options = {}, .source = kUnspecifiedIpv6});
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->is_dad);
  EXPECT_FALSE(read->link_address);
}

TEST(NdRead, AdvertisementAndItsFlags) {
  struct Row {
    uint32_t flags;
    bool router, solicited, overrides;
  };
  for (const Row& row : {Row{0, false, false, false}, Row{0x80000000, true, false, false},
                         Row{0x40000000, false, true, false}, Row{0x20000000, false, false, true},
                         Row{0x1fffffff, false, false, false}}) {
    const auto read = read_row({.name = "flags",
                                .type = 136,
                                .flags = row.flags,
                                .options = link_option(2),
                                .destination = kAsked});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->type, NdType::kAdvertisement);
    EXPECT_EQ(read->is_router, row.router);
    EXPECT_EQ(read->is_solicited, row.solicited);
    EXPECT_EQ(read->overrides, row.overrides);
    EXPECT_EQ(read->link_address, kAskerMac);
  }
}

TEST(NdRead, Valid) {
  const NdRow rows[] = {
      {.name = "no option", .options = {}},
      {.name = "unicast probe", .destination = kAsked},
      {.name = "an option of 16 bytes before",
       .options = Bytes{14, 2} + Bytes(14) + link_option(1)},
      {.name = "announcement", .type = 136, .options = link_option(2), .destination = kAllNodes},
      {.name = "DAD with a nonce", .options = Bytes{14, 1} + Bytes(6), .source = {}},
      {.name = "DAD with a target's MAC", .options = link_option(2), .source = {}},
  };
  for (const NdRow& row : rows) EXPECT_TRUE(read_row(row)) << row.name;
}

TEST(NdRead, NotValid) {
  const Ipv6Address group = solicited_node_multicast(kAsked);
  const NdRow rows[] = {
      {.name = "hop limit", .hop_limit = 254},
      {.name = "code", .code = 1},
      {.name = "cut in the target", .options = {}, .cut = 1},
      {.name = "cut behind ICMPv6", .options = {}, .cut = 16},
      {.name = "cut in ICMPv6", .options = {}, .cut = 17},
      {.name = "target is a group", .target = group},
      {.name = "empty option", .options = link_option(1) + Bytes(8)},
      {.name = "half an option", .cut = 4},
      {.name = "option beyond the message", .options = Bytes{14, 2} + Bytes(6)},
      {.name = "MAC of 16 bytes", .options = Bytes{1, 2} + Bytes(14)},
      {.name = "MAC of a group", .options = link_option(1, kBroadcastMac)},
      {.name = "from a group", .source = kAllNodes},
      {.name = "from ::1", .source = ip6({0, 0, 0, 0, 0, 0, 0, 1})},
      {.name = "DAD to one", .options = {}, .source = {}, .destination = kAsked},
      {.name = "DAD to all", .options = {}, .source = {}, .destination = kAllNodes},
      {.name = "DAD with a MAC", .source = {}},
      {.name = "advertisement from ::", .type = 136, .source = {}, .destination = kAllNodes},
      {.name = "solicited, to all", .type = 136, .flags = 0x60000000, .destination = kAllNodes},
      {.name = "advertisement of a group", .type = 136, .target = group, .destination = kAsked},
      {.name = "advertisement's empty option", .type = 136, .options = Bytes(8)},
  };
  for (const NdRow& row : rows) EXPECT_FALSE(read_row(row)) << row.name;
}

TEST(NdRead, OfSeveralMacsTheFirstAndOnlyOfTheRightKind) {
  const auto first = read_row({.name = "two", .options = link_option(1, kOurMac) + link_option(1)});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->link_address, kOurMac);
  const auto other = read_row({.name = "a target's", .options = link_option(2)});
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->link_address);
}

TEST(NdRead, OtherTypes) {
  for (int type = 0; type < 256; ++type) {
    EXPECT_EQ(is_nd(static_cast<uint8_t>(type)), type >= 133 && type <= 137) << type;
  }
  for (const uint8_t type : {133, 134, 137}) {
    const auto read = read_row({.name = "other", .type = type});
    ASSERT_TRUE(read);
    EXPECT_EQ(read->type, NdType::kOther);
    EXPECT_FALSE(read_row({.name = "other", .type = type, .hop_limit = 64}));
  }
}

// A frame from there with this message, as a host would send it.
Bytes nd_frame(MacAddress to, const Ipv6Address& source, const Ipv6Address& destination,
               uint8_t type, uint32_t flags, const Bytes& target_and_options) {
  return test::ethernet_header(to, kOurMac, 0x86dd) +
         test::ip6_packet(
             {.source = source, .destination = destination, .next_header = 58, .hop_limit = 255},
             test::icmp6(source, destination, type, 0, flags, target_and_options));
}

TEST(NdWrite, Solicitations) {
  const Ipv6Address ours = ip6(1, 0xfe);
  const Ipv6Address group = ip6({0xff02, 0, 0, 0, 0, 1, 0xff00, 0x1234});
  const MacAddress group_mac{{0x33, 0x33, 0xff, 0, 0x12, 0x34}};
  const Bytes asked = bytes_of(kAsked) + link_option(1, kOurMac);
  struct Row {
    const char* name;
    Ipv6Address source;
    std::optional<MacAddress> probed;
    Bytes wanted;
  };
  const Row rows[] = {
      {"to the group", ours, {}, nd_frame(group_mac, ours, group, 135, 0, asked)},
      {"probe", ours, kAskerMac, nd_frame(kAskerMac, ours, kAsked, 135, 0, asked)},
      {"DAD", {}, {}, nd_frame(group_mac, {}, group, 135, 0, bytes_of(kAsked))},
  };
  for (const Row& row : rows) {
    Bytes frame(kNdFrameLengthMax, 0xee);
    const uint16_t length = write_solicitation(frame, kOurMac, row.source, kAsked, row.probed);
    frame.resize(length);
    EXPECT_EQ(frame, row.wanted) << row.name;
    const Ipv6Address to = row.probed ? kAsked : group;
    const auto read = read_nd(test::from(frame, 54), 255, row.source, to);
    ASSERT_TRUE(read) << row.name;
    EXPECT_EQ(read->is_dad, row.source == kUnspecifiedIpv6);
  }
}

TEST(NdWrite, Advertisements) {
  const Bytes told = bytes_of(kAsked) + link_option(2, kOurMac);
  const MacAddress all_mac{{0x33, 0x33, 0, 0, 0, 1}};
  struct Row {
    const char* name;
    NdRecipient to;
    bool overrides;
    Bytes wanted;
  };
  const Row rows[] = {
      {"answer", nd_answer_to(kAsker, kAskerMac), true,
       nd_frame(kAskerMac, kAsked, kAsker, 136, 0x60000000, told)},
      {"answer that yields", nd_answer_to(kAsker, kAskerMac), false,
       nd_frame(kAskerMac, kAsked, kAsker, 136, 0x40000000, told)},
      {"answer to DAD", nd_answer_to({}, kAskerMac), true,
       nd_frame(all_mac, kAsked, kAllNodes, 136, 0x20000000, told)},
      {"announcement", kNdEverybody, true,
       nd_frame(all_mac, kAsked, kAllNodes, 136, 0x20000000, told)},
  };
  for (const Row& row : rows) {
    Bytes frame(kNdFrameLengthMax, 0xee);
    EXPECT_EQ(write_advertisement(frame, kOurMac, kAsked, row.to, row.overrides), frame.size());
    EXPECT_EQ(frame, row.wanted) << row.name;
    EXPECT_TRUE(read_nd(test::from(frame, 54), 255, kAsked, row.to.ip)) << row.name;
  }
}

}  // namespace
}  // namespace sluice::net
