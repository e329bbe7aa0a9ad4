// SPDX-License-Identifier: BSD-3-Clause
// What an ICMP error is called in the other family: types, codes, MTUs and pointers (RFC 7915,
// sections 4.2 and 5.2).
#pragma once

#include <cstdint>
#include <optional>

namespace sluice::net {

/// An error's type, its code, and the four bytes behind the checksum in host order.
struct IcmpKind {
  uint8_t type;
  uint8_t code;
  uint32_t rest = 0;

  friend constexpr bool operator==(const IcmpKind&, const IcmpKind&) = default;
};

/// MTUs of our links, 68 at least: to where an error came from, which is the way on of the packet
/// that it quotes, and to where it goes.
struct LinkMtus {
  uint16_t from = UINT16_MAX;
  uint16_t to = UINT16_MAX;
};

/// RFC 7915, section 4.2; nothing where IPv6 has no such error. An MTU is never below 1,280, and
/// one that is not told is the next plateau (RFC 1191, section 7.1) below `quoted_length`, the
/// total length of the quoted packet.
std::optional<IcmpKind> icmp_to_icmpv6(IcmpKind error, uint16_t quoted_length, LinkMtus mtus = {});

/// RFC 7915, section 5.2; nothing where IPv4 has no such error, or none that is to be believed: an
/// MTU below 1,280 (RFC 8201, section 4).
std::optional<IcmpKind> icmpv6_to_icmp(IcmpKind error, LinkMtus mtus = {});

/// In the family that it came in; nothing where it is not to be passed on: not an error, source
/// quench (RFC 6633), redirects, an MTU that is not to be believed. The length of a quote that has
/// extensions behind it (RFC 4884) is taken out of `rest`.
std::optional<IcmpKind> same_icmp(IcmpKind error);
std::optional<IcmpKind> same_icmpv6(IcmpKind error);

}  // namespace sluice::net
