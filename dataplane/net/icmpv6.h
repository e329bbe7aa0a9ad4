// SPDX-License-Identifier: BSD-3-Clause
// ICMPv6 (RFC 4443): echo answers, and errors of our own.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/ipv6.h"

namespace sluice::net {

/// Of the errors that are passed on (RFC 4443, section 3); others below 128 nobody has defined.
constexpr bool icmpv6_is_error(uint8_t type) {
  return type >= icmpv6_type::kUnreachable && type <= icmpv6_type::kParameterProblem;
}

/// Turns an echo request into its answer in place (RFC 4443, section 4.2): addresses swapped, hop
/// limit fresh, the checksum changed by what the type changes. A wrong checksum stays wrong.
void icmpv6_echo_answer(Ipv6Header& ip, Icmpv6Header& icmp);

/// Every link carries that much (RFC 8200, section 5).
inline constexpr uint16_t kIpv6MtuMin = 1280;

/// As much of a packet as an error may quote (RFC 4443, section 2.4 (c)).
inline constexpr uint16_t kIcmpv6ErrorLengthMax = kIpv6MtuMin;
inline constexpr uint16_t kIcmpv6QuoteLengthMax =
    kIcmpv6ErrorLengthMax - sizeof(Ipv6Header) - sizeof(Icmpv6Header);
inline constexpr uint16_t kIcmpv6ErrorFrameLengthMax =
    sizeof(EthernetHeader) + kIcmpv6ErrorLengthMax;

/// An error of ours.
struct Icmpv6Error {
  Ipv6Address source;
  Ipv6Address destination;
  uint8_t type;       // icmpv6_type
  uint8_t code;       // icmpv6_code
  uint32_t rest = 0;  // the MTU of kPacketTooBig, the pointer of kParameterProblem
};

/// Whether an error of that type and code may answer a packet (RFC 4443, section 2.4 (e)): not an
/// error or a redirect, not what names nobody as its source, and what went to a group only if it is
/// too big or has an option that is not known. Whether the frame was a group's, the caller knows.
bool icmpv6_error_allowed(const Ipv6Header& ip, const Ipv6Payload& payload,
                          std::span<const uint8_t> behind_header, uint8_t type, uint8_t code);

/// Writes an error that quotes as much of `packet` as fits (RFC 4443, section 3) behind room for an
/// Ethernet header; returns the frame's length, kIcmpv6ErrorFrameLengthMax at most.
uint16_t write_icmpv6_error(std::span<uint8_t> frame, const Icmpv6Error& fields,
                            std::span<const uint8_t> packet);

}  // namespace sluice::net
