// SPDX-License-Identifier: BSD-3-Clause
// Fragments of any packet at any MTU: they fit, they say where they belong, and together they are
// it.
#include "dataplane/net/fragment.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::get16;
using test::kIpAt;

const Ipv4Header& header_of(const Bytes& frame) {
  return *reinterpret_cast<const Ipv4Header*>(frame.data() + kIpAt);
}

// Puts the payload together again; every fragment is judged on the way.
Bytes reassembled(const Bytes& frame, uint16_t mtu) {
  const Ipv4Header& ip = header_of(frame);
  const uint16_t header = ip.header_length();
  Bytes payload;
  for (uint16_t i = 0, count = fragment_count(ip, mtu); i < count; ++i) {
    Bytes made(kIpAt + mtu);
    const uint16_t length = write_fragment(ip, mtu, i, made.data() + kIpAt);
    EXPECT_LE(length, mtu);
    EXPECT_EQ(get16(made, kIpAt + 2), length);
    EXPECT_TRUE(test::ip_checksum_right(made));
    EXPECT_EQ(get16(made, kIpAt + 6), payload.size() / 8 | (i + 1 < count ? 0x2000 : 0));
    EXPECT_EQ(get16(made, kIpAt + 4), get16(frame, kIpAt + 4));
    payload = payload + test::slice(made, kIpAt + header, kIpAt + length);
  }
  return payload;
}

TEST(Fragment, OfAnySizeAtAnyMtu) {
  for (const size_t options : {0, 4, 40}) {
    for (const size_t size : {0, 1, 7, 8, 9, 555, 1480, 1948}) {
      Bytes payload(size);
      for (size_t i = 0; i < size; ++i) payload[i] = static_cast<uint8_t>(i * 31);
      const Bytes frame = test::ip_frame({.fragment = 0, .options = Bytes(options, 1)}, payload);
      for (const uint16_t mtu : {68, 69, 75, 76, 576, 1399, 1400, 1500}) {
        EXPECT_EQ(reassembled(frame, mtu), payload) << options << " " << size << " " << mtu;
      }
    }
  }
}

/// A piece of a datagram is cut into pieces of the same; DF stays.
TEST(Fragment, OfAFragment) {
  constexpr uint16_t kField = 0x4000 | 0x2000 | 100;
  const Bytes frame = test::ip_frame({.fragment = kField}, Bytes(1200, 9));
  const Ipv4Header& ip = header_of(frame);
  ASSERT_EQ(fragment_count(ip, 620), 2u);
  Bytes made(kIpAt + 620);
  EXPECT_EQ(write_fragment(ip, 620, 1, made.data() + kIpAt), 620);
  EXPECT_EQ(get16(made, kIpAt + 6), kField + 75);
  EXPECT_EQ(write_fragment(ip, 620, 0, made.data() + kIpAt), 620);
  EXPECT_EQ(get16(made, kIpAt + 6), kField);
  const Bytes last = test::ip_frame({.fragment = 100}, Bytes(1200, 9));
  EXPECT_EQ(write_fragment(header_of(last), 620, 1, made.data() + kIpAt), 620);
  EXPECT_EQ(get16(made, kIpAt + 6), 175) << "the last of the last";
}

TEST(Fragment, NoneWhereOnlyTheHeaderFits) {
  const Bytes frame = test::ip_frame({.options = Bytes(40, 1)}, Bytes(100));
  for (const uint16_t mtu : {0, 20, 60, 67}) EXPECT_EQ(fragment_count(header_of(frame), mtu), 0u);
  EXPECT_EQ(fragment_count(header_of(frame), 68), 13u);
}

TEST(Fragment, OnlyCopiedOptionsGoIntoAll) {
  struct Row {
    Bytes options;
    Bytes later;
  };
  const Row rows[] = {
      {{0x94, 4, 0, 0}, {0x94, 4, 0, 0}},
      {{7, 4, 4, 0}, {1, 1, 1, 1}},
      {{7, 3, 4, 0x94, 4, 0, 0, 0}, {1, 1, 1, 0x94, 4, 0, 0, 0}},
      {{1, 0x82, 0, 9}, {1, 1, 1, 1}},  // a length that cannot be
      {{1, 0x82, 9, 9}, {1, 1, 1, 1}},  // beyond the header
      {{1, 1, 1, 0x82}, {1, 1, 1, 1}},  // without a length
      {{0, 7, 7, 7}, {0, 7, 7, 7}},     // behind the end
  };
  for (const Row& row : rows) {
    const Bytes frame = test::ip_frame({.options = row.options}, Bytes(100));
    Bytes made(kIpAt + 76);
    write_fragment(header_of(frame), 76, 0, made.data() + kIpAt);
    EXPECT_EQ(test::slice(made, kIpAt + 20, kIpAt + 20 + row.options.size()), row.options);
    write_fragment(header_of(frame), 76, 1, made.data() + kIpAt);
    EXPECT_EQ(test::slice(made, kIpAt + 20, kIpAt + 20 + row.later.size()), row.later);
  }
}

}  // namespace
}  // namespace sluice::net
