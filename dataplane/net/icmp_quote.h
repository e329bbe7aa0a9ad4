// SPDX-License-Identifier: BSD-3-Clause
// What an ICMP error of either family quotes: the packet of TCP or UDP that it is about.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/ipv6.h"
#include "dataplane/net/protocol.h"

namespace sluice::net {

/// Whether extensions may follow the packet that an error of that type quotes (RFC 4884,
/// section 4).
constexpr bool icmp_has_extensions(uint8_t type) {
  return type == icmp_type::kUnreachable || type == icmp_type::kTimeExceeded ||
         type == icmp_type::kParameterProblem;
}
constexpr bool icmpv6_has_extensions(uint8_t type) {
  return type == icmpv6_type::kUnreachable || type == icmpv6_type::kTimeExceeded;
}

/// Then it is padded to as much at least, and its length told in words of so many bytes.
inline constexpr size_t kExtendedQuoteMin = 128;
inline constexpr size_t kIcmpQuoteUnit = 4, kIcmpv6QuoteUnit = 8;

/// Views into the error; valid as long as it is.
struct IcmpQuote {
  bool is_ipv6;
  Protocol protocol;
  /// Of TCP or UDP, in `packet`; at least eight bytes are there (RFC 792): of TCP ports and
  /// sequence number, of UDP all of its header.
  uint16_t upper_at;
  std::span<const uint8_t> packet;     // from its IP header on, as far as it is quoted
  std::span<const uint8_t> extension;  // what stands behind it (RFC 4884, section 7); often nothing
  Ipv6Payload payload{};               // of IPv6

  const Ipv4Header& ipv4() const { return *reinterpret_cast<const Ipv4Header*>(packet.data()); }
  const Ipv6Header& ipv6() const { return *reinterpret_cast<const Ipv6Header*>(packet.data()); }
  const PortsHeader& ports() const {
    return *reinterpret_cast<const PortsHeader*>(packet.data() + upper_at);
  }
};

/// `icmp`: an error from its header on (RFC 792). Nothing where it quotes less than eight bytes of
/// TCP or UDP, a fragment, or lengths that cannot be.
std::optional<IcmpQuote> read_icmp_quote(std::span<const uint8_t> icmp);

/// The same of ICMPv6 (RFC 4443, section 3); the quoted extension headers are walked within the
/// bounds of find_upper_layer().
std::optional<IcmpQuote> read_icmpv6_quote(std::span<const uint8_t> icmpv6);

}  // namespace sluice::net
