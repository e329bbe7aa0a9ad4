// SPDX-License-Identifier: BSD-3-Clause
// Where the quoted packet ends, and where TCP or UDP begins in it.
#include "dataplane/net/icmp_quote.h"

#include <algorithm>

namespace sluice::net {
namespace {

constexpr size_t kUpperLayerMin = 8;

/// `quoted_length`: as RFC 4884 has it, in bytes; 0 where none is said.
IcmpQuote split_message(std::span<const uint8_t> icmp, size_t quoted_length) {
  const std::span<const uint8_t> rest = icmp.subspan(sizeof(IcmpHeader));
  IcmpQuote quote{};
  const bool extended = quoted_length >= kExtendedQuoteMin && quoted_length < rest.size();
  quote.packet = extended ? rest.first(quoted_length) : rest;
  if (extended) quote.extension = rest.subspan(quoted_length);
  return quote;
}

/// The length attribute is the second byte behind the checksum (RFC 4884, sections 4.1 to 4.3).
size_t quoted_length_of(const IcmpHeader& icmp) {
  return icmp_has_extensions(icmp.type) ? (icmp.rest.host() >> 16 & 0xff) * kIcmpQuoteUnit : 0;
}

/// It is the first byte here (RFC 4884, sections 4.4 and 4.5).
size_t quoted_length_of_icmpv6(const Icmpv6Header& icmp) {
  return icmpv6_has_extensions(icmp.type) ? (icmp.rest.host() >> 24) * kIcmpv6QuoteUnit : 0;
}

/// Cuts the quote to `length`, what the quoted IP header says; false where it is too short.
bool bound_packet(IcmpQuote& quote, size_t length, uint8_t protocol) {
  quote.packet = quote.packet.first(std::min(quote.packet.size(), length));
  quote.protocol = protocol == kProtocolUdp ? Protocol::kUdp : Protocol::kTcp;
  return (protocol == kProtocolTcp || protocol == kProtocolUdp) &&
         quote.packet.size() >= quote.upper_at + kUpperLayerMin;
}

}  // namespace

std::optional<IcmpQuote> read_icmp_quote(std::span<const uint8_t> icmp) {
  if (icmp.size() < sizeof(IcmpHeader) + sizeof(Ipv4Header)) return {};
  const auto& header = *reinterpret_cast<const IcmpHeader*>(icmp.data());
  IcmpQuote quote = split_message(icmp, quoted_length_of(header));
  const Ipv4Header& ip = quote.ipv4();
  quote.upper_at = ip.header_length();
  if (ip.version_ihl >> 4 != 4 || quote.upper_at < sizeof ip || ip.is_fragment() ||
      !bound_packet(quote, ip.total_length.host(), ip.protocol)) {
    return {};
  }
  return quote;
}

std::optional<IcmpQuote> read_icmpv6_quote(std::span<const uint8_t> icmpv6) {
  if (icmpv6.size() < sizeof(Icmpv6Header) + sizeof(Ipv6Header)) return {};
  const auto& header = *reinterpret_cast<const Icmpv6Header*>(icmpv6.data());
  IcmpQuote quote = split_message(icmpv6, quoted_length_of_icmpv6(header));
  quote.is_ipv6 = true;
  const Ipv6Header& ip = quote.ipv6();
  if (ip.version() != 6) return {};
  const size_t length = sizeof ip + ip.payload_length.host();
  const auto known = quote.packet.first(std::min(quote.packet.size(), length));
  quote.payload = find_upper_layer(ip, known.subspan(sizeof ip));
  quote.upper_at = static_cast<uint16_t>(sizeof ip + quote.payload.offset);
  if (quote.payload.fault != Ipv6Fault::kNone || quote.payload.is_fragment ||
      !bound_packet(quote, length, quote.payload.protocol)) {
    return {};
  }
  return quote;
}

}  // namespace sluice::net
