// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors about translated packets, from either family to either (RFC 7915, sections 4.2 to 4.4
// and 5.2 to 5.4; RFC 5508, section 4).
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/xlat_icmp_type.h"

namespace sluice::net {

/// What an error becomes on its way to whoever sent the packet that it quotes. `Address` is of the
/// sender's family.
template <class Address>
struct IcmpErrorFields {
  // The error itself.
  Address source;
  Address destination;
  uint8_t hop_limit;
  uint16_t id;  // Identification where IPv4 is made of IPv6, of the quoted packet too

  // The quoted packet, as its sender sent it.
  Address quoted_source;
  Address quoted_destination;
  be16 quoted_source_port;
  be16 quoted_destination_port;
  uint32_t sequence_addend = 0;  // TCP

  LinkMtus mtus = {};
};

/// Writes the error that `packet`, from its IP header on, becomes into `to`, from its IP header on,
/// which is somewhere else; returns its length, and 0 where there is no such error in the other
/// family or it quotes nothing that read_icmp_quote() or read_icmpv6_quote() can read.
///
/// The traffic class is kept; extension headers and options of the error itself are not. Within one
/// family the quoted network header keeps all but its addresses, in the other it is made anew, its
/// hop limit kept. Checksums of quoted UDP, and of quoted TCP as far as it is there, change by what
/// changes; ICMP's is made anew, so the caller has looked at the old one. What is too long for
/// `to`, for 576 bytes of IPv4 or for 1,280 of IPv6 is cut off; extensions (RFC 4884) follow where
/// they fit.
uint16_t translate_icmp_error(std::span<const uint8_t> packet,
                              const IcmpErrorFields<Ipv4Address>& fields, std::span<uint8_t> to);
uint16_t translate_icmp_error(std::span<const uint8_t> packet,
                              const IcmpErrorFields<Ipv6Address>& fields, std::span<uint8_t> to);

/// Room for any translated error.
inline constexpr uint16_t kTranslatedErrorLengthMax = 1280;

}  // namespace sluice::net
