// SPDX-License-Identifier: BSD-3-Clause
// Offsets, flags and options of fragments.
#include "dataplane/net/fragment.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/checksum.h"

namespace sluice::net {
namespace {

constexpr uint16_t kDontFragmentFlag = 0x4000;
constexpr uint16_t kMoreFragments = 0x2000;
constexpr uint16_t kOffsetUnit = 8;

uint16_t bytes_each(uint16_t header, uint16_t mtu) {
  return mtu < header ? uint16_t{0}
                      : static_cast<uint16_t>((mtu - header) / kOffsetUnit * kOffsetUnit);
}

/// Options without the copied flag belong to the first fragment; the length of the header stays.
void blank_uncopied_options(uint8_t* option, const uint8_t* end) {
  constexpr uint8_t kEnd = 0, kNop = 1, kCopied = 0x80;
  while (option < end && *option != kEnd) {
    const ptrdiff_t length = *option == kNop ? 1 : end - option < 2 ? 0 : option[1];
    if (length < 1 || (length < 2 && *option != kNop) || length > end - option) {
      std::fill(option, const_cast<uint8_t*>(end), kNop);  // malformed from here on
      return;
    }
    if ((*option & kCopied) == 0) std::fill_n(option, length, kNop);
    option += length;
  }
}

}  // namespace

bool may_fragment(const Ipv4Header& ip) {
  return (ip.fragment.host() & kDontFragmentFlag) == 0;
}

uint16_t fragment_count(const Ipv4Header& ip, uint16_t mtu) {
  const uint16_t header = ip.header_length();
  const uint16_t each = bytes_each(header, mtu);
  if (each == 0) return 0;
  return static_cast<uint16_t>((ip.total_length.host() - header + each - 1) / each);
}

uint16_t write_fragment(const Ipv4Header& ip, uint16_t mtu, uint16_t number, uint8_t* to) {
  const uint16_t header = ip.header_length();
  const uint16_t each = bytes_each(header, mtu);
  const auto payload = static_cast<uint16_t>(ip.total_length.host() - header);
  const auto offset = static_cast<uint16_t>(number * each);
  const uint16_t length = std::min(each, static_cast<uint16_t>(payload - offset));
  const auto* from = reinterpret_cast<const uint8_t*>(&ip);
  const uint16_t field = ip.fragment.host();  // of the first one written last
  if (to != from) {
    std::memcpy(to, from, header);
    std::memcpy(to + header, from + header + offset, length);
  }
  auto& made = *reinterpret_cast<Ipv4Header*>(to);
  const bool last = offset + length == payload && (field & kMoreFragments) == 0;
  made.fragment = be16::from_host(static_cast<uint16_t>(
      (field & ~kMoreFragments) + offset / kOffsetUnit + (last ? 0 : kMoreFragments)));
  made.total_length = be16::from_host(static_cast<uint16_t>(header + length));
  if (number > 0) blank_uncopied_options(to + sizeof(Ipv4Header), to + header);
  made.checksum = {0};
  made.checksum = checksum_of(checksum_sum(to, header));
  return static_cast<uint16_t>(header + length);
}

}  // namespace sluice::net
