// SPDX-License-Identifier: BSD-3-Clause
// What a fragment says of itself (RFC 791, section 3.2; RFC 8200, section 4.5), and what none says
// that is meant well.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/net/parse.h"

namespace sluice::net {

/// One fragment. Offset and length are of the fragmentable part: what IPv4's header carries, or
/// what stands behind IPv6's fragment header; in bytes.
struct FragmentView {
  IpAddress source;
  IpAddress destination;
  be32 id;  // IPv4's is 16 bits
  uint16_t offset;
  uint16_t length;
  bool more;               // more fragments follow it
  uint8_t protocol;        // of what is fragmented; IPv6: may be an extension header's number
  uint16_t header_length;  // in front of the data, from the network header on
  const uint8_t* data;

  uint32_t end() const { return uint32_t{offset} + length; }
  bool is_first() const { return offset == 0; }
};

/// Reads a fragment that parse() has found: its reason is ipv4_fragment or ipv6_fragment.
FragmentView view_fragment(const Packet& packet);

/// The longest datagram that is put together again: with an Ethernet header and headroom a packet
/// buffer, whose length is 16 bits, holds no more.
inline constexpr uint32_t kDatagramLengthMax = 65'280;

/// fragment_bad: no fragment has that length or place. fragment_tiny: the first one ends before the
/// transport header does, or the second begins within it (RFC 1858; RFC 3128; RFC 7112).
std::optional<DropReason> fragment_fault(const FragmentView& fragment);

/// Brings IPv6's fragment header right behind the IPv6 header, over the extension headers between
/// them, which are for routers on the way here. Returns the bytes by which the frame now begins
/// later; packet.ethernet, packet.ip6 and `fragment` follow.
uint16_t strip_before_fragment(Packet& packet, FragmentView& fragment);

}  // namespace sluice::net
