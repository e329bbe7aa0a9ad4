// SPDX-License-Identifier: BSD-3-Clause
// Internet checksums (RFC 1071) and their incremental update (RFC 1624, equation 3).
//
// Sums are taken over 16-bit words as they lie in memory: the one's complement sum does not care
// about byte order as long as the result is stored the way the words were read (RFC 1071, section
// 2).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/net/byte_order.h"
#include "dataplane/net/headers.h"

namespace sluice::net {

/// 16 bits of a sum of words; carries come back in at the low end. The halves are added in the
/// upper one, where the carry out of the lower one comes by itself.
constexpr uint16_t checksum_fold(uint32_t sum) {
  return static_cast<uint16_t>((sum + std::rotl(sum, 16)) >> 16);
}
constexpr uint16_t checksum_fold(uint64_t sum) {
  return checksum_fold(static_cast<uint32_t>((sum + std::rotl(sum, 32)) >> 32));
}

/// Unfolded one's complement sum of `length` bytes; an odd last byte counts as padded with zero.
inline uint64_t checksum_sum(const void* data, size_t length) {
  const auto* p = static_cast<const uint8_t*>(data);
  uint64_t sum = 0;
  for (; length >= 8; p += 8, length -= 8) {
    uint64_t words;
    std::memcpy(&words, p, 8);
    sum += (words >> 32) + static_cast<uint32_t>(words);
  }
  if (length >= 4) {
    uint32_t word;
    std::memcpy(&word, p, 4);
    sum += word;
    p += 4;
    length -= 4;
  }
  if (length >= 2) {
    uint16_t word;
    std::memcpy(&word, p, 2);
    sum += word;
    p += 2;
    length -= 2;
  }
  return length == 0 ? sum : sum + *p;
}

/// The checksum of a block whose own checksum field is zero; 0xffff over a block that holds a right
/// one folds to zero, which is what *_checksum_ok() test.
inline be16 checksum_of(uint64_t sum) {
  return {static_cast<uint16_t>(~checksum_fold(sum))};
}

/// Sum of the pseudo header of TCP (RFC 9293, section 3.1) and UDP (RFC 768).
inline uint64_t pseudo_header_sum(const Ipv4Header& ip, uint16_t l4_length) {
  return uint64_t{ip.source.raw} + ip.destination.raw + be16::from_host(ip.protocol).raw +
         be16::from_host(l4_length).raw;
}

/// Of a block that holds its own checksum. Cold path: IPv4 with options, ICMP.
[[gnu::noinline, gnu::cold]] inline bool checksum_ok(const void* data, size_t length) {
  return checksum_fold(checksum_sum(data, length)) == 0xffff;
}

/// Of a header whose length is known to be possible.
inline bool ipv4_checksum_ok(const Ipv4Header& ip) {
  if (ip.header_length() > sizeof(Ipv4Header)) [[unlikely]] {
    return checksum_ok(&ip, ip.header_length());
  }
  uint64_t first, second;
  uint32_t third;
  std::memcpy(&first, &ip.version_ihl, 8);
  std::memcpy(&second, &ip.ttl, 8);
  std::memcpy(&third, &ip.destination, 4);
  uint64_t sum = first + second;
  sum += sum < second;  // the carry
  sum += third;
  sum += sum < third;
  return checksum_fold(sum) == 0xffff;
}

/// What a change of some words does to a checksum that covers them. Deltas add up, so a flow's
/// constant rewrite is one 16-bit number that is computed once.
class ChecksumDelta {
 public:
  constexpr ChecksumDelta() = default;

  constexpr void replace(be16 from, be16 to) {
    sum_ += static_cast<uint16_t>(~from.raw);
    sum_ += to.raw;
  }
  constexpr void replace(be32 from, be32 to) {
    sum_ += static_cast<uint32_t>(~from.raw);
    sum_ += to.raw;
  }
  /// A word that begins at an odd offset of the summed block counts with its bytes swapped
  /// (RFC 1071, section 2B).
  constexpr void replace_at(size_t offset, be32 from, be32 to) {
    ChecksumDelta delta;
    delta.replace(from, to);
    const uint16_t folded = delta.folded();
    sum_ += (offset & 1) != 0 ? __builtin_bswap16(folded) : folded;
  }
  constexpr void add(ChecksumDelta other) { sum_ += other.folded(); }

  constexpr uint16_t folded() const { return checksum_fold(sum_); }

  /// RFC 1624, equation 3: HC' = ~(~HC + ~m + m').
  constexpr be16 applied_to(be16 checksum) const { return apply(checksum, folded()); }

  /// `delta` may be a sum of up to 65,535 words.
  static constexpr be16 apply(be16 checksum, uint32_t delta) {
    const uint32_t sum = uint32_t{static_cast<uint16_t>(~checksum.raw)} + delta;
    return {static_cast<uint16_t>(~checksum_fold(sum))};
  }

 private:
  uint64_t sum_ = 0;
};

}  // namespace sluice::net
