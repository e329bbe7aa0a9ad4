// SPDX-License-Identifier: BSD-3-Clause
// Byte order, addresses, serial arithmetic and SipHash.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

#include "dataplane/net/serial.h"
#include "dataplane/net/siphash.h"
#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

TEST(ByteOrder, LiesBigEndianInMemory) {
  const be32 word = be32::from_host(0x01020304);
  const uint8_t wanted[] = {1, 2, 3, 4};
  EXPECT_EQ(std::memcmp(&word, wanted, 4), 0);
  EXPECT_EQ(word.host(), 0x01020304u);
  const be16 half = be16::from_host(0x0102);
  EXPECT_EQ(std::memcmp(&half, wanted, 2), 0);
  EXPECT_EQ(half.host(), 0x0102);
}

TEST(ByteOrder, OrdersByValueNotByMemory) {
  EXPECT_LT(be16::from_host(0x00ff), be16::from_host(0x0100));
  EXPECT_LT(be32::from_host(0x000000ff), be32::from_host(0x01000000));
  EXPECT_LT(test::ip4(9, 255, 255, 255), test::ip4(10, 0, 0, 0));
  EXPECT_LT(test::endpoint(test::ip4(10, 0, 0, 1), 255),
            test::endpoint(test::ip4(10, 0, 0, 1), 256));
}

TEST(Addresses, Text) {
  EXPECT_EQ(to_string(test::ip4(10, 0, 255, 1)), "10.0.255.1");
  EXPECT_EQ(to_string(test::endpoint(test::ip4(0, 0, 0, 0), 65535)), "0.0.0.0:65535");
}

TEST(Addresses, MulticastBitIsTheFirstOnTheWire) {
  EXPECT_TRUE(kBroadcastMac.is_multicast());
  EXPECT_TRUE((MacAddress{{0x01, 0, 0x5e, 0, 0, 1}}.is_multicast()));
  EXPECT_FALSE(test::mac(1).is_multicast());
}

TEST(Addresses, AsNumbers) {
  EXPECT_EQ(number_of(test::ip4(1, 2, 3, 4)), 0x01020304u);
  const Ipv6Address ip{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}};
  EXPECT_EQ(static_cast<uint64_t>(number_of(ip) >> 64), 0x20010db800000000u);
  EXPECT_EQ(static_cast<uint64_t>(number_of(ip)), 0x0102030405060708u);
}

Ipv4Address with_bit_flipped(Ipv4Address ip, uint8_t bit) {
  return be32::from_host(ip.host() ^ (1u << (31 - bit)));
}
Ipv6Address with_bit_flipped(Ipv6Address ip, uint8_t bit) {
  ip.bytes[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
  return ip;
}

template <class Address>
void contains_for_every_length(const Address& address) {
  for (uint8_t length = 0; length <= Prefix<Address>::kLengthMax; ++length) {
    const Prefix<Address> prefix{address, length};
    EXPECT_TRUE(prefix.contains(address));
    for (uint8_t bit = 0; bit < Prefix<Address>::kLengthMax; ++bit) {
      EXPECT_EQ(prefix.contains(with_bit_flipped(address, bit)), bit >= length)
          << "/" << int{length} << " bit " << int{bit};
    }
  }
}

TEST(Prefix, ContainsForEveryLength) {
  contains_for_every_length(test::ip4(170, 85, 170, 85));
  contains_for_every_length(
      Ipv6Address{{170, 85, 170, 85, 1, 2, 3, 4, 5, 6, 7, 8, 255, 0, 170, 85}});
}

// "a after b" as the kernel's after(a, b): (s32)(b - a) < 0.
TEST(Serial, AtTheWrap) {
  struct Row {
    uint32_t a, b;
    bool after;
  };
  const Row rows[] = {
      {1, 0, true},          {0, 1, false},          {0, 0, false},
      {0, 0xffffffff, true}, {0xffffffff, 0, false}, {0x7fffffff, 0, true},
      {0x80000000, 0, true},  // opposite on the circle: after, both ways, as the kernel has it
      {0, 0x80000000, true}, {0x80000001, 0, false}, {0x80000000, 0x7fffffff, true},
      {5, 0xfffffff0, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(testing::Message() << std::hex << row.a << " after " << row.b);
    EXPECT_EQ(serial_after(row.a, row.b), row.after);
    EXPECT_EQ(serial_before(row.b, row.a), row.after);
    EXPECT_EQ(serial_at_or_after(row.b, row.a), !row.after);
    EXPECT_EQ(serial_max(row.a, row.b), row.after ? row.a : row.b);
  }
}

TEST(Serial, ShiftingBothChangesNothing) {
  std::mt19937 random(5);
  for (int i = 0; i < 100'000; ++i) {
    const uint32_t a = random(), b = a + (random() >> (random() % 32)), adjust = random();
    ASSERT_EQ(serial_after(a, b), serial_after(a + adjust, b + adjust));
    ASSERT_EQ(serial_max(a, b) + adjust, serial_max(a + adjust, b + adjust));
  }
}

TEST(Serial, WithinIsClosedAndWraps) {
  struct Row {
    uint32_t x, low, high;
    bool within;
  };
  const Row rows[] = {
      {5, 5, 5, true},
      {4, 5, 5, false},
      {6, 5, 5, false},
      {0xffffffff, 0xfffffffe, 1, true},
      {0, 0xfffffffe, 1, true},
      {1, 0xfffffffe, 1, true},
      {2, 0xfffffffe, 1, false},
      {0xfffffffd, 0xfffffffe, 1, false},
      {0x80000000, 0, 0x80000000, true},
  };
  for (const Row& row : rows)
    EXPECT_EQ(serial_within(row.x, row.low, row.high), row.within) << row.x;
}

// Appendix A of the paper: key 00 01 .. 0f, message 00 01 .. of eight bytes.
TEST(SipHash, ReferenceVector) {
  const SipKey key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const uint8_t expected[] = {0x62, 0x24, 0x93, 0x9a, 0x79, 0xf5, 0xf5, 0x93};
  uint64_t wanted;
  std::memcpy(&wanted, expected, 8);
  EXPECT_EQ(siphash(key, 0x0706050403020100), wanted);
}

TEST(Random, SameKeySameStreamOtherKeyOther) {
  Random a({1, 2}), b({1, 2}), c({1, 3});
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t x = a.next();
    EXPECT_EQ(x, b.next());
    differs |= x != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  Random random({3, 4});
  for (const uint32_t bound : {1u, 2u, 3u, 7u, 10u}) {
    std::map<uint32_t, int> seen;
    for (int i = 0; i < 10'000; ++i) ++seen[random.below(bound)];
    EXPECT_EQ(seen.size(), bound);
    EXPECT_LT(seen.rbegin()->first, bound);
    for (const auto& [value, count] : seen) {
      EXPECT_NEAR(count, 10'000.0 / bound, 500) << value << " of " << bound;
    }
  }
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(0xffffffff), 0xffffffffu);
}

}  // namespace
}  // namespace sluice::net
