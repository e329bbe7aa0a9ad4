// SPDX-License-Identifier: BSD-3-Clause
// Checksums and their deltas against full recomputation.
#include "dataplane/net/checksum.h"

#include "dataplane/net/packet_checksum.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;

be32 word32_at(const Bytes& bytes, size_t at) {
  be32 word;
  std::memcpy(&word, bytes.data() + at, 4);
  return word;
}
be16 word16_at(const Bytes& bytes, size_t at) {
  be16 word;
  std::memcpy(&word, bytes.data() + at, 2);
  return word;
}

be16 full(const Bytes& bytes) {
  return checksum_of(checksum_sum(bytes.data(), bytes.size()));
}

// One's complement has two zeros; a stored checksum may be either, and both verify.
bool same_checksum(be16 a, be16 b) {
  const auto zero = [](be16 c) { return c.raw == 0 || c.raw == 0xffff; };
  return a == b || (zero(a) && zero(b));
}

TEST(Checksum, EqualsTheReferenceForEveryLength) {
  std::mt19937 random(1);
  for (size_t length = 0; length <= 130; ++length) {
    for (const int fill : {-1, 0x00, 0xff}) {
      Bytes bytes(length);
      for (uint8_t& b : bytes) b = static_cast<uint8_t>(fill < 0 ? random() : fill);
      EXPECT_EQ(full(bytes).host(), test::reference_checksum(bytes)) << length << " of " << fill;
    }
  }
}

TEST(Checksum, HoldsForUnalignedData) {
  std::mt19937 random(2);
  Bytes bytes(64);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random());
  for (size_t offset = 0; offset < 8; ++offset) {
    const Bytes part = test::slice(bytes, offset, offset + 41);
    EXPECT_EQ(checksum_of(checksum_sum(bytes.data() + offset, 41)).host(),
              test::reference_checksum(part));
  }
}

TEST(Checksum, Rfc1071Example) {
  const Bytes bytes = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(full(bytes).host(), static_cast<uint16_t>(~0xddf2));
}

TEST(ChecksumFold, HoldsForLargeSums) {
  struct Row {
    uint64_t sum;
    uint16_t folded;
  };
  const Row rows[] = {
      {0, 0},
      {0xffff, 0xffff},
      {0x10000, 1},
      {0x1fffe, 0xffff},
      {0xffffffff, 0xffff},
      {0x100000000, 1},
      {0xffffffffffff, 0xffff},
      {0xffffffff0000ffff, 0xffff},
      {~uint64_t{0}, 0xffff},
  };
  for (const Row& row : rows) EXPECT_EQ(checksum_fold(row.sum), row.folded) << row.sum;
}

TEST(ChecksumFold, IsTheResidueModulo65535) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t sum = random() >> (random() % 48);
    const uint64_t residue = sum % 0xffff;
    const uint64_t expected = sum == 0 ? 0 : residue == 0 ? 0xffff : residue;
    ASSERT_EQ(checksum_fold(sum), expected) << sum;
  }
}

// RFC 1624, section 4: the case that equation 2 gets wrong.
TEST(ChecksumDelta, Rfc1624Example) {
  ChecksumDelta delta;
  delta.replace(be16::from_host(0x5555), be16::from_host(0x3285));
  EXPECT_EQ(delta.applied_to(be16::from_host(0xdd2f)).host(), 0x0000);
}

TEST(ChecksumDelta, NothingReplacedChangesNothing) {
  for (uint32_t c = 0; c <= 0xffff; ++c) {
    const be16 checksum = {static_cast<uint16_t>(c)};
    ASSERT_EQ(ChecksumDelta().applied_to(checksum), checksum);
    ChecksumDelta same;
    same.replace(be32{0xdeadbeef}, be32{0xdeadbeef});
    if (c != 0xffff) {  // the zero that no right checksum is (RFC 1624, section 3)
      ASSERT_EQ(same.applied_to(checksum), checksum);
    }
  }
}

TEST(ChecksumDelta, CornersOfOneWord) {
  const uint16_t corners[] = {0x0000, 0x0001, 0x00ff, 0xff00, 0x7fff, 0x8000, 0xfffe, 0xffff};
  for (const uint16_t from : corners) {
    for (const uint16_t to : corners) {
      for (const uint16_t other : corners) {
        Bytes bytes;
        test::put16(bytes, from);
        test::put16(bytes, other);
        const be16 before = full(bytes);
        bytes[0] = static_cast<uint8_t>(to >> 8);
        bytes[1] = static_cast<uint8_t>(to);
        ChecksumDelta delta;
        delta.replace(be16::from_host(from), be16::from_host(to));
        EXPECT_TRUE(same_checksum(delta.applied_to(before), full(bytes)))
            << from << " to " << to << " beside " << other;
      }
    }
  }
}

// Any number of words, at even and odd offsets, replaced in any order: as if summed anew.
TEST(ChecksumDelta, EqualsFullRecomputation) {
  std::mt19937 random(4);
  for (int round = 0; round < 50'000; ++round) {
    Bytes bytes(24 + random() % 40);
    for (uint8_t& b : bytes) {
      const uint32_t kind = random() % 4;
      b = static_cast<uint8_t>(kind == 0 ? 0 : kind == 1 ? 0xff : random());
    }
    const be16 before = full(bytes);
    ChecksumDelta delta;
    for (uint32_t i = 0; i < 1 + random() % 5; ++i) {
      const size_t at = random() % (bytes.size() - 4);
      const be32 from = word32_at(bytes, at);
      const be32 to = be32::from_host(random() % 8 == 0 ? 0xffffffff : random());
      delta.replace_at(at, from, to);
      std::memcpy(bytes.data() + at, &to, 4);
    }
    const size_t even = random() % (bytes.size() / 2) * 2;
    const be16 to = be16::from_host(static_cast<uint16_t>(random()));
    ChecksumDelta other;
    other.replace(word16_at(bytes, even), to);
    std::memcpy(bytes.data() + even, &to, 2);
    delta.add(other);
    ASSERT_TRUE(same_checksum(delta.applied_to(before), full(bytes))) << "round " << round;
    ASSERT_TRUE(same_checksum(ChecksumDelta::apply(before, delta.folded()), full(bytes)));
  }
}

TEST(ChecksumOk, FindsEveryFlippedBit) {
  Bytes frame = test::tcp_frame({.sequence = 7, .payload = {1, 2, 3}});
  const Packet packet = parse(frame);
  ASSERT_EQ(packet.kind, Packet::Kind::kTcp);
  EXPECT_TRUE(ipv4_checksum_ok(*packet.ip));
  EXPECT_TRUE(tcp_checksum_ok(packet));
  for (size_t bit = test::kTcpAt * 8; bit < frame.size() * 8; ++bit) {
    frame[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(tcp_checksum_ok(packet)) << "bit " << bit;
    frame[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
  for (size_t bit = test::kIpAt * 8 + 8; bit < test::kTcpAt * 8; ++bit) {
    frame[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(ipv4_checksum_ok(*packet.ip)) << "bit " << bit;
    frame[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
}

}  // namespace
}  // namespace sluice::net
