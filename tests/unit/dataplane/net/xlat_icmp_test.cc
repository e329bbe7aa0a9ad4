// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors from either family to either: each is compared, byte by byte, with one built by hand
// around the packet that its receiver had sent.
#include "dataplane/net/xlat_icmp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dataplane/net/protocol.h"
#include "tests/unit/dataplane/net/ipv6_builder.h"
#include "tests/unit/sanitized.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::ip4;
using test::ip6;

constexpr uint16_t kNewId = 0x4242;

/// A host in both families.
struct Host {
  Ipv4Address v4;
  Ipv6Address v6;
};
constexpr Host kSender{ip4(10, 1, 0, 1), ip6(1, 1)};
constexpr Host kService{ip4(10, 3, 0, 1), ip6(3, 1)};
constexpr Host kOurs{ip4(10, 2, 0, 1), ip6(2, 1)};
constexpr Host kServer{ip4(10, 2, 0, 10), ip6(2, 0x10)};
constexpr Host kRouter{ip4(192, 0, 2, 1), ip6(0x99, 1)};

struct QuotedPacket {
  bool is_ipv6;
  Protocol protocol = Protocol::kTcp;
  Host source = kSender, destination = kService;
  uint16_t source_port = 40000, destination_port = 80;
  uint32_t sequence = 100;
  size_t payload = 64;
  uint16_t last_word = 0x1d1d;  // behind the payload
  bool has_checksum = true;     // of UDP
  uint16_t id = kNewId;
  uint16_t fragment = 0;
  Bytes options = {};       // of IPv4
  Bytes extensions = {};    // of IPv6
  uint8_t next_header = 0;  // that of the first of them
};

Bytes upper_layer_of(const QuotedPacket& packet) {
  Bytes upper;
  test::put16(upper, packet.source_port);
  test::put16(upper, packet.destination_port);
  if (packet.protocol == Protocol::kTcp) {
    test::put32(upper, packet.sequence);
    test::put32(upper, 77);
    upper = upper + Bytes{0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0};
  } else {
    test::put16(upper, static_cast<uint16_t>(8 + packet.payload + 2));
    test::put16(upper, 0);
  }
  for (size_t i = 0; i < packet.payload; ++i) upper.push_back(static_cast<uint8_t>(i * 31));
  test::put16(upper, packet.last_word);
  return upper;
}

/// The whole packet, every checksum made from scratch.
Bytes packet_of(const QuotedPacket& packet) {
  const bool is_tcp = packet.protocol == Protocol::kTcp;
  const uint8_t number = is_tcp ? 6 : 17;
  Bytes upper = upper_layer_of(packet);
  const uint16_t sum =
      packet.is_ipv6 ? test::checksum6(packet.source.v6, packet.destination.v6, number, upper)
                     : test::checksum4(packet.source.v4, packet.destination.v4, number, upper);
  if (is_tcp || packet.has_checksum) {
    test::store_checksum(upper, is_tcp ? 16 : 6, !is_tcp && sum == 0 ? 0xffff : sum);
  }
  if (packet.is_ipv6) {
    return test::ip6_packet({.source = packet.source.v6,
                             .destination = packet.destination.v6,
                             .next_header = packet.extensions.empty() ? number : packet.next_header,
                             .hop_limit = 1,
                             .traffic_class = 0x20},
                            packet.extensions + upper);
  }
  return test::ip4_packet({.source = packet.source.v4,
                           .destination = packet.destination.v4,
                           .protocol = number,
                           .ttl = 1,
                           .tos = 0x20,
                           .id = packet.id,
                           .fragment = packet.fragment,
                           .options = packet.options},
                          upper);
}

struct Error {
  bool is_ipv6;
  Host source, destination;
  uint8_t type, code;
  uint32_t rest = 0;
  Bytes quote = {};  // and what follows
  uint8_t hop_limit = 61;
  uint16_t id = 0;
  uint16_t fragment = 0;
  uint32_t flow_label = 0;
};

Bytes error_of(const Error& error) {
  if (error.is_ipv6) {
    const Ipv6Address source = error.source.v6, destination = error.destination.v6;
    return test::ip6_packet(
        {.source = source,
         .destination = destination,
         .next_header = 58,
         .hop_limit = error.hop_limit,
         .traffic_class = 0xc0,
         .flow_label = error.flow_label},
        test::icmp6(source, destination, error.type, error.code, error.rest, error.quote));
  }
  return test::ip4_packet({.source = error.source.v4,
                           .destination = error.destination.v4,
                           .protocol = 1,
                           .ttl = error.hop_limit,
                           .tos = 0xc0,
                           .id = error.id,
                           .fragment = error.fragment},
                          test::icmp4(error.type, error.code, error.rest, error.quote));
}

template <class Address>
IcmpErrorFields<Address> fields_to_sender(Address Host::*family, uint32_t sequence_addend) {
  return {.source = kService.*family,
          .destination = kSender.*family,
          .hop_limit = 60,
          .id = kNewId,
          .quoted_source = kSender.*family,
          .quoted_destination = kService.*family,
          .quoted_source_port = be16::from_host(40000),
          .quoted_destination_port = be16::from_host(80),
          .sequence_addend = sequence_addend};
}

/// `packet` on its way to the sender, in that family; nothing where it does not go.
Bytes translated(const Bytes& packet, bool to_ipv6, size_t room = kTranslatedErrorLengthMax) {
  Bytes to(room, 0xee);
  const uint16_t length =
      to_ipv6 ? translate_icmp_error(packet, fields_to_sender(&Host::v6, 0 - 900u), to)
              : translate_icmp_error(packet, fields_to_sender(&Host::v4, 0 - 900u), to);
  EXPECT_LE(length, room);
  to.resize(length);
  return to;
}

/// What our translation of the sender's packet looks like to a router behind us.
QuotedPacket behind_us(QuotedPacket packet, bool is_ipv6) {
  packet.is_ipv6 = is_ipv6;
  packet.source = kOurs;
  packet.destination = kServer;
  packet.source_port = 1024;
  packet.destination_port = 8080;
  packet.sequence += 900;
  return packet;
}

size_t quote_room(bool is_ipv6) {
  return is_ipv6 ? 1280 - 48 : 576 - 28;
}

// Port unreachable, in each family.
Error unreachable(bool is_ipv6, Host source, Host destination, const Bytes& quote) {
  return {is_ipv6,
          source,
          destination,
          static_cast<uint8_t>(is_ipv6 ? 1 : 3),
          static_cast<uint8_t>(is_ipv6 ? 4 : 3),
          0,
          quote};
}

void expect_back(const QuotedPacket& sent, const QuotedPacket& seen, size_t quoted) {
  const Bytes wanted_packet = packet_of(sent), seen_packet = packet_of(seen);
  quoted = std::min(quoted, seen_packet.size());
  const size_t came = quoted + wanted_packet.size() - seen_packet.size();
  const size_t cut = std::min(came, quote_room(sent.is_ipv6));
  Error in = unreachable(seen.is_ipv6, kRouter, kOurs, test::slice(seen_packet, 0, quoted));
  in.id = 0x1111;
  in.fragment = 0x4000;
  in.flow_label = 0x12345;
  Error wanted = unreachable(sent.is_ipv6, kService, kSender, test::slice(wanted_packet, 0, cut));
  wanted.hop_limit = 60;
  wanted.id = seen.is_ipv6 ? kNewId : 0x1111;
  wanted.fragment = seen.is_ipv6 ? 0 : 0x4000;
  wanted.flow_label = seen.is_ipv6 ? 0x12345 : 0;
  EXPECT_EQ(translated(error_of(in), sent.is_ipv6), error_of(wanted));
}

TEST(XlatIcmp, SenderGetsItsOwnPacketBack) {
  for (const bool from_ipv6 : {false, true}) {
    for (const bool to_ipv6 : {false, true}) {
      for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp}) {
        for (const size_t payload :
             {0, 1, 20, 64, 506, 507, 1217, 1218, 1219, 1220, 1229, 1230, 1231, 1400}) {
          QuotedPacket sent{to_ipv6, protocol};
          sent.payload = payload;
          QuotedPacket seen = behind_us(sent, from_ipv6);
          const size_t upper = (protocol == Protocol::kTcp ? 20 : 8) + payload + 2;
          // Made anew, a large packet has DF; within a family it keeps what it has.
          if (from_ipv6 && !to_ipv6 && upper + 20 > 1260) sent.fragment = 0x4000;
          const size_t header = from_ipv6 ? 40 : 20;
          for (const size_t quoted : {8, 9, 16, 18, 20, 40, 520, 1192, 1452}) {
            SCOPED_TRACE(testing::Message()
                         << "from IPv" << (from_ipv6 ? 6 : 4) << " to IPv" << (to_ipv6 ? 6 : 4)
                         << " upper " << upper << " quoted " << quoted);
            expect_back(sent, seen, header + quoted);
          }
        }
      }
    }
  }
}

TEST(XlatIcmp, UdpWithoutChecksumStaysWithout) {
  for (const bool to_ipv6 : {false, true}) {
    QuotedPacket sent{to_ipv6, Protocol::kUdp};
    sent.has_checksum = false;
    expect_back(sent, behind_us(sent, false), 100);
  }
}

TEST(XlatIcmp, UdpChecksumThatComesOutAsZeroIsAllOnes) {
  for (const bool from_ipv6 : {false, true}) {
    for (const bool to_ipv6 : {false, true}) {
      QuotedPacket sent{to_ipv6, Protocol::kUdp};
      sent.last_word = 0;
      const size_t at = (to_ipv6 ? 40 : 20) + 6;
      sent.last_word = test::get16(packet_of(sent), at);  // the sum is all ones then
      ASSERT_EQ(test::get16(packet_of(sent), at), 0xffff);
      expect_back(sent, behind_us(sent, from_ipv6), 200);
    }
  }
}

TEST(XlatIcmp, OptionsAndExtensionHeadersOfTheQuote) {
  const Bytes options(12, 1), extension{17, 0, 1, 4, 0, 0, 0, 0};
  {  // kept within a family
    QuotedPacket sent{false, Protocol::kUdp};
    sent.options = options;
    expect_back(sent, behind_us(sent, false), 60);
    QuotedPacket sent6{true, Protocol::kUdp};
    sent6.extensions = extension;
    sent6.next_header = 60;
    expect_back(sent6, behind_us(sent6, true), 80);
  }
  {  // dropped on the way to the other
    QuotedPacket sent{true, Protocol::kUdp};
    QuotedPacket seen = behind_us(sent, false);
    seen.options = options;
    expect_back(sent, seen, 60);
    QuotedPacket sent4{false, Protocol::kUdp};
    QuotedPacket seen6 = behind_us(sent4, true);
    seen6.extensions = extension;
    seen6.next_header = 60;
    expect_back(sent4, seen6, 80);
  }
}

TEST(XlatIcmp, AtomicFragmentGivesItsIdentification) {
  QuotedPacket sent{false, Protocol::kUdp};
  sent.id = 0x1234;
  QuotedPacket seen = behind_us(sent, true);
  seen.extensions = {17, 0, 0, 0, 0xab, 0xcd, 0x12, 0x34};
  seen.next_header = 44;
  expect_back(sent, seen, 80);
}

TEST(XlatIcmp, TypesAndTheirRest) {
  struct Row {
    const char* name;
    bool from_ipv6, to_ipv6;
    uint8_t type, code;
    uint32_t rest;
    uint8_t wanted_type, wanted_code;
    uint32_t wanted_rest;
  };
  const Row rows[] = {
      {"MTU to IPv6", false, true, 3, 4, 1400, 2, 0, 1420},
      {"no MTU to IPv6", false, true, 3, 4, 0, 2, 0, 1280},  // of 106 bytes
      {"MTU to IPv4", true, false, 2, 0, 1400, 3, 4, 1380},
      {"MTU of IPv4", false, false, 3, 4, 1400, 3, 4, 1400},
      {"MTU of IPv6", true, true, 2, 0, 1400, 2, 0, 1400},
      {"hops to IPv6", false, true, 11, 0, 0, 3, 0, 0},
      {"hops to IPv4", true, false, 3, 0, 0, 11, 0, 0},
      {"pointer to IPv6", false, true, 12, 0, 8u << 24, 4, 0, 7},
      {"pointer to IPv4", true, false, 4, 0, 7, 12, 0, 8u << 24},
      {"protocol to IPv6", false, true, 3, 2, 0, 4, 1, 6},
      {"next header to IPv4", true, false, 4, 1, 40, 3, 2, 0},
  };
  for (const Row& row : rows) {
    const QuotedPacket sent{row.to_ipv6};
    const Bytes quote = packet_of(behind_us(sent, row.from_ipv6));
    Error in{row.from_ipv6, kRouter, kOurs, row.type, row.code, row.rest, quote};
    Error wanted{row.to_ipv6,     kService,        kSender,        row.wanted_type,
                 row.wanted_code, row.wanted_rest, packet_of(sent)};
    wanted.hop_limit = 60;
    wanted.id = row.from_ipv6 ? kNewId : 0;
    EXPECT_EQ(translated(error_of(in), row.to_ipv6), error_of(wanted)) << row.name;
  }
}

TEST(XlatIcmp, MtusOfOurLinksCount) {
  const Bytes quote = packet_of(behind_us({true}, false));
  const Bytes in = error_of({false, kRouter, kOurs, 3, 4, 1480, quote});
  Bytes to(kTranslatedErrorLengthMax);
  auto fields = fields_to_sender(&Host::v6, 0);
  fields.mtus = {.from = 1500, .to = 1400};
  ASSERT_NE(translate_icmp_error(in, fields, to), 0);
  EXPECT_EQ(test::get32(to, 44), 1400u);
  fields.mtus = {.from = 1300, .to = 1400};
  ASSERT_NE(translate_icmp_error(in, fields, to), 0);
  EXPECT_EQ(test::get32(to, 44), 1320u);
}

// RFC 4884: a padded quote, and a label behind it.
TEST(XlatIcmp, ExtensionsFollow) {
  const Bytes extension = {0x20, 0, 0xaa, 0xbb, 0, 8, 1, 1, 1, 2, 3, 4};
  struct Row {
    const char* name;
    bool from_ipv6, to_ipv6;
    size_t payload;       // of TCP
    size_t padded;        // as it comes
    size_t wanted_units;  // of its length, as it goes; 0: without extensions
  };
  const Row rows[] = {
      {"padded to IPv6", false, true, 0, 128, 16},
      {"all of it is packet, to IPv6", false, true, 100, 128, 19},
      {"padded to IPv4", true, false, 0, 128, 32},
      {"all of it is packet, to IPv4", true, false, 300, 128, 32},
      {"more is packet, to IPv4", true, false, 300, 256, 59},
      {"within IPv4", false, false, 100, 132, 33},
      {"within IPv6", true, true, 100, 136, 17},
      {"no room", true, false, 1000, 560, 0},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    QuotedPacket sent{row.to_ipv6};
    sent.payload = row.payload;
    Bytes quote = packet_of(behind_us(sent, row.from_ipv6));
    const size_t whole = quote.size();
    quote.resize(row.padded);
    Error in = unreachable(row.from_ipv6, kRouter, kOurs, quote + extension);
    in.rest = static_cast<uint32_t>(row.from_ipv6 ? row.padded / 8 << 24 : row.padded / 4 << 16);

    const Bytes packet = packet_of(sent);
    const size_t came = std::min(whole, row.padded) + packet.size() - whole;
    const size_t unit = row.to_ipv6 ? 8 : 4;
    Bytes wanted_quote = test::slice(packet, 0, std::min(came, quote_room(row.to_ipv6)));
    if (row.wanted_units != 0) {
      wanted_quote.resize(row.wanted_units * unit);
      wanted_quote = wanted_quote + extension;
    }
    Error wanted = unreachable(row.to_ipv6, kService, kSender, wanted_quote);
    wanted.rest = static_cast<uint32_t>(row.wanted_units << (row.to_ipv6 ? 24 : 16));
    wanted.hop_limit = 60;
    wanted.id = row.from_ipv6 ? kNewId : 0;
    EXPECT_EQ(translated(error_of(in), row.to_ipv6), error_of(wanted));
  }
}

TEST(XlatIcmp, ErrorsWithOptionsAndExtensionHeadersOfTheirOwn) {
  const QuotedPacket sent{true};
  const Bytes quote = packet_of(behind_us(sent, false));
  const Bytes in4 = test::ip4_packet({.source = kRouter.v4,
                                      .destination = kOurs.v4,
                                      .protocol = 1,
                                      .tos = 0xc0,
                                      .options = Bytes(8, 1)},
                                     test::icmp4(3, 3, 0, quote)) +
                    Bytes(6);  // padding of Ethernet
  Error wanted = unreachable(true, kService, kSender, packet_of(sent));
  wanted.hop_limit = 60;
  EXPECT_EQ(translated(in4, true), error_of(wanted));

  const Bytes quote6 = packet_of(behind_us(sent, true));
  const Bytes in6 = test::ip6_packet(
      {.source = kRouter.v6, .destination = kOurs.v6, .next_header = 60, .traffic_class = 0xc0},
      Bytes{58, 0, 1, 4, 0, 0, 0, 0} + test::icmp6(kRouter.v6, kOurs.v6, 1, 4, 0, quote6));
  EXPECT_EQ(translated(in6, true), error_of(wanted));
}

TEST(XlatIcmp, DoesNotGo) {
  const Bytes quote4 = packet_of(behind_us({false}, false));
  const Bytes quote6 = packet_of(behind_us({true}, true));
  const Bytes good4 = error_of(unreachable(false, kRouter, kOurs, quote4));
  const Bytes good6 = error_of(unreachable(true, kRouter, kOurs, quote6));
  const auto with = [](Bytes bytes, size_t at, uint8_t value) {
    bytes[at] = value;
    return bytes;
  };
  struct Row {
    const char* name;
    Bytes packet;
    bool to_ipv6;
  };
  const Row rows[] = {
      {"nothing", {}, true},
      {"no version", Bytes(100), true},
      {"IPv4 cut", test::slice(good4, 0, 19), true},
      {"shorter than it says", test::slice(good4, 0, good4.size() - 1), true},
      {"header too short", with(good4, 0, 0x44), true},
      {"total length too short", with(with(good4, 2, 0), 3, 19), true},
      {"fragment", with(good4, 6, 0x20), true},
      {"not ICMP", with(good4, 9, 6), true},
      {"no quote", test::ip4_packet({.protocol = 1}, test::icmp4(3, 3, 0, {})), true},
      {"echo", with(good4, 20, 8), true},
      {"redirect", with(good4, 20, 5), false},
      {"precedence", with(with(good4, 20, 3), 21, 14), true},
      {"IPv6 cut", test::slice(good6, 0, 39), false},
      {"IPv6 shorter than it says", test::slice(good6, 0, good6.size() - 1), false},
      {"fragment of IPv6", test::ip6_packet({.next_header = 44}, Bytes{58, 0, 0, 1, 0, 0, 0, 1}),
       false},
      {"not ICMPv6", with(good6, 6, 6), false},
      {"no quote in ICMPv6", test::ip6_packet({.next_header = 58}, Bytes(8)), false},
      {"echo of IPv6", with(good6, 40, 128), true},
      {"option not known", error_of({true, kRouter, kOurs, 4, 2, 48, quote6}), false},
      {"MTU below 1,280", error_of({true, kRouter, kOurs, 2, 0, 1000, quote6}), true},
      {"quote longer than IPv4 carries",
       error_of(unreachable(true, kRouter, kOurs, with(with(quote6, 4, 0xff), 5, 0xff))), false},
  };
  for (const Row& row : rows) EXPECT_EQ(translated(row.packet, row.to_ipv6), Bytes{}) << row.name;
}

TEST(XlatIcmp, AsMuchAsThereIsRoomFor) {
  for (const bool from_ipv6 : {false, true}) {
    for (const bool to_ipv6 : {false, true}) {
      const QuotedPacket sent{to_ipv6};
      const Bytes in =
          error_of(unreachable(from_ipv6, kRouter, kOurs, packet_of(behind_us(sent, from_ipv6))));
      const size_t least = to_ipv6 ? 40 + 8 + 40 + 8 : 20 + 8 + 20 + 8;
      for (size_t room = 0; room < least; ++room) {
        ASSERT_EQ(translated(in, to_ipv6, room), Bytes{}) << room;
      }
      for (size_t room = least; room < least + 40; ++room) {
        const Bytes out = translated(in, to_ipv6, room);
        ASSERT_EQ(out.size(), room);
        const Bytes icmp = test::from(out, to_ipv6 ? 40 : 20);
        const uint16_t sum = to_ipv6 ? test::checksum6(kService.v6, kSender.v6, 58, icmp)
                                     : test::reference_checksum(icmp);
        ASSERT_EQ(sum, 0) << room;
      }
    }
  }
}

TEST(XlatIcmp, StaysInsideWhateverTheBytesSay) {
  std::mt19937 random(15);
  const Bytes seeds[] = {
      error_of(unreachable(false, kRouter, kOurs, packet_of(behind_us({true}, false)))),
      error_of(unreachable(true, kRouter, kOurs, packet_of(behind_us({true}, true)))),
  };
  int passed = 0;
  for (int round = 0; round < test::rounds(40'000); ++round) {
    Bytes packet = seeds[random() % 2];
    for (auto changes = random() % 4; changes > 0; --changes) {
      packet[random() % packet.size()] = static_cast<uint8_t>(random());
    }
    if (random() % 2 == 0) packet.resize(random() % packet.size());
    passed += !translated(Bytes(packet), random() % 2 == 0, random() % 200).empty();
  }
  EXPECT_GT(passed, test::rounds(40'000) / 20);
}

}  // namespace
}  // namespace sluice::net
