// SPDX-License-Identifier: BSD-3-Clause
// An error taken apart, and put together in the other family.
#include "dataplane/net/xlat_icmp.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "dataplane/net/icmp_quote.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/xlat.h"

namespace sluice::net {
namespace {

/// An error as it came in.
struct ErrorMessage {
  uint8_t traffic_class;
  uint32_t flow_label;  // of IPv6
  be16 id, fragment;    // of IPv4
  std::span<const uint8_t> icmp;
  IcmpQuote quote;

  IcmpKind kind() const {
    const auto& header = *reinterpret_cast<const IcmpHeader*>(icmp.data());
    return {header.type, header.code, header.rest.host()};
  }
};

std::optional<ErrorMessage> read_ipv4_error(std::span<const uint8_t> packet) {
  if (packet.size() < sizeof(Ipv4Header)) return {};
  const auto& ip = *reinterpret_cast<const Ipv4Header*>(packet.data());
  const size_t header = ip.header_length(), total = ip.total_length.host();
  if (header < sizeof ip || total < header || total > packet.size() || ip.is_fragment() ||
      ip.protocol != kProtocolIcmp) {
    return {};
  }
  const auto icmp = packet.subspan(header, total - header);
  const auto quote = read_icmp_quote(icmp);
  if (!quote) return {};
  return ErrorMessage{ip.tos, 0, ip.id, ip.fragment, icmp, *quote};
}

std::optional<ErrorMessage> read_ipv6_error(std::span<const uint8_t> packet) {
  if (packet.size() < sizeof(Ipv6Header)) return {};
  const auto& ip = *reinterpret_cast<const Ipv6Header*>(packet.data());
  const size_t length = ip.payload_length.host();
  if (length > packet.size() - sizeof ip) return {};
  const auto behind_header = packet.subspan(sizeof ip, length);
  const Ipv6Payload payload = find_upper_layer(ip, behind_header);
  if (payload.fault != Ipv6Fault::kNone || payload.is_fragment ||
      payload.protocol != kProtocolIcmpv6) {
    return {};
  }
  const auto icmp = behind_header.subspan(payload.offset);
  const auto quote = read_icmpv6_quote(icmp);
  if (!quote) return {};
  return ErrorMessage{ip.traffic_class(), ip.flow_label(), {}, {}, icmp, *quote};
}

std::optional<ErrorMessage> read_error(std::span<const uint8_t> packet) {
  if (packet.empty()) return {};
  if (packet[0] >> 4 == 4) return read_ipv4_error(packet);
  return packet[0] >> 4 == 6 ? read_ipv6_error(packet) : std::nullopt;
}

// What differs by the family that an error is made in.

struct ToIpv4 {
  using Address = Ipv4Address;
  using Header = Ipv4Header;
  static constexpr size_t kLengthMax = 576;  // RFC 1812, section 4.3.2.3
  static constexpr size_t kQuoteUnit = kIcmpQuoteUnit;
  static constexpr uint8_t kLengthShift = 16;
  static constexpr auto has_extensions = icmp_has_extensions;

  static std::optional<IcmpKind> kind_of(const ErrorMessage& error, LinkMtus mtus) {
    return error.quote.is_ipv6 ? icmpv6_to_icmp(error.kind(), mtus) : same_icmp(error.kind());
  }

  static Ipv4Header outer(const ErrorMessage& error, const IcmpErrorFields<Ipv4Address>& fields,
                          uint16_t icmp_length) {
    const auto total = static_cast<uint16_t>(sizeof(Ipv4Header) + icmp_length);
    const bool anew = error.quote.is_ipv6;  // DF is not set: small (RFC 7915, section 5.1)
    return make_ipv4_header(kProtocolIcmp, total, fields.hop_limit, fields.source,
                            fields.destination, error.traffic_class,
                            anew ? be16::from_host(fields.id) : error.id,
                            anew ? be16{0} : error.fragment);
  }

  /// False where IPv4 could not carry the packet as long as it says it is.
  static bool quoted_header(const IcmpQuote& quote, const IcmpErrorFields<Ipv4Address>& fields,
                            Ipv4Header& ip) {
    if (!quote.is_ipv6) {
      ip.source = fields.quoted_source;
      ip.destination = fields.quoted_destination;
      ip.checksum = {0};
      ip.checksum = checksum_of(checksum_sum(&ip, ip.header_length()));
      return true;
    }
    if (upper_layer_length(quote.ipv6(), quote.payload) > UINT16_MAX - sizeof ip) return false;
    ip = ipv6_to_ipv4(quote.ipv6(), quote.payload, fields.quoted_source, fields.quoted_destination,
                      quote.ipv6().hop_limit, fields.id);
    return true;
  }

  static be16 checksum(const IcmpErrorFields<Ipv4Address>&, std::span<const uint8_t> icmp) {
    return checksum_of(checksum_sum(icmp.data(), icmp.size()));
  }
};

struct ToIpv6 {
  using Address = Ipv6Address;
  using Header = Ipv6Header;
  static constexpr size_t kLengthMax = kIcmpv6ErrorLengthMax;
  static constexpr size_t kQuoteUnit = kIcmpv6QuoteUnit;
  static constexpr uint8_t kLengthShift = 24;
  static constexpr auto has_extensions = icmpv6_has_extensions;

  static std::optional<IcmpKind> kind_of(const ErrorMessage& error, LinkMtus mtus) {
    if (error.quote.is_ipv6) return same_icmpv6(error.kind());
    return icmp_to_icmpv6(error.kind(), error.quote.ipv4().total_length.host(), mtus);
  }

  static Ipv6Header outer(const ErrorMessage& error, const IcmpErrorFields<Ipv6Address>& fields,
                          uint16_t icmp_length) {
    Ipv6Header made = make_ipv6_header(kProtocolIcmpv6, icmp_length, fields.hop_limit,
                                       fields.source, fields.destination, error.traffic_class);
    made.version_class_flow = be32::from_host(made.version_class_flow.host() | error.flow_label);
    return made;
  }

  static bool quoted_header(const IcmpQuote& quote, const IcmpErrorFields<Ipv6Address>& fields,
                            Ipv6Header& ip) {
    if (quote.is_ipv6) {
      ip.source = fields.quoted_source;
      ip.destination = fields.quoted_destination;
    } else {
      ip = ipv4_to_ipv6(quote.ipv4(), fields.quoted_source, fields.quoted_destination,
                        quote.ipv4().ttl);
    }
    return true;
  }

  static be16 checksum(const IcmpErrorFields<Ipv6Address>& fields, std::span<const uint8_t> icmp) {
    return checksum_of(fields.source, fields.destination, kProtocolIcmpv6, icmp);
  }
};

template <class To>
constexpr bool is_same_family(const IcmpQuote& quote) {
  return quote.is_ipv6 == (sizeof(typename To::Header) == sizeof(Ipv6Header));
}

uint64_t address_sum(const IcmpQuote& quote) {
  return quote.is_ipv6 ? checksum_sum(&quote.ipv6().source, 2 * sizeof(Ipv6Address))
                       : checksum_sum(&quote.ipv4().source, 2 * sizeof(Ipv4Address));
}

/// What turning words that sum to `before` into words that sum to `after` does to a checksum.
uint16_t delta_of(uint64_t before, uint64_t after) {
  return checksum_fold(uint64_t{static_cast<uint16_t>(~checksum_fold(before))} + after);
}

/// Ports, sequence number and checksum. `sums`: those of the addresses, before and after.
template <class Address>
void give_back_upper_layer(const IcmpQuote& quote, const IcmpErrorFields<Address>& fields,
                           uint64_t sum_before, uint64_t sum_after, std::span<uint8_t> upper) {
  constexpr size_t kBegin = 8;  // ports, and the sequence number of TCP
  constexpr size_t kTcpSumEnd = offsetof(TcpHeader, checksum) + sizeof(be16);
  auto& tcp = *reinterpret_cast<TcpHeader*>(upper.data());
  auto& udp = *reinterpret_cast<UdpHeader*>(upper.data());
  const be16 udp_sum = udp.checksum;
  if (quote.protocol == Protocol::kUdp) udp.checksum = {0};
  sum_before += checksum_sum(upper.data(), kBegin);
  tcp.source_port = fields.quoted_source_port;
  tcp.destination_port = fields.quoted_destination_port;
  if (quote.protocol == Protocol::kTcp) {
    tcp.sequence = be32::from_host(tcp.sequence.host() + fields.sequence_addend);
  }
  sum_after += checksum_sum(upper.data(), kBegin);
  const uint16_t delta = delta_of(sum_before, sum_after);
  if (quote.protocol == Protocol::kTcp) {
    if (upper.size() >= kTcpSumEnd) tcp.checksum = ChecksumDelta::apply(tcp.checksum, delta);
  } else if (udp_sum.raw != 0) {  // none stays none
    udp.checksum = ChecksumDelta::apply(udp_sum, delta);
    if (udp.checksum.raw == 0) udp.checksum = {0xffff};
  }
}

/// The quoted packet as its sender sent it; returns its length, and 0 where it does not go.
template <class To>
size_t write_quoted(const IcmpQuote& quote, const IcmpErrorFields<typename To::Address>& fields,
                    std::span<uint8_t> to) {
  constexpr size_t kUpperMin = 8;
  const bool same = is_same_family<To>(quote);
  const size_t header = same ? quote.upper_at : sizeof(typename To::Header);
  if (to.size() < header + kUpperMin) return 0;
  if (same) std::memcpy(to.data(), quote.packet.data(), header);
  auto& ip = *reinterpret_cast<typename To::Header*>(to.data());
  if (!To::quoted_header(quote, fields, ip)) return 0;
  const auto from = quote.packet.subspan(quote.upper_at);
  const auto upper = to.subspan(header, std::min(from.size(), to.size() - header));
  std::memcpy(upper.data(), from.data(), upper.size());
  const uint64_t sum = checksum_sum(&ip.source, 2 * sizeof(typename To::Address));
  give_back_upper_layer(quote, fields, address_sum(quote), sum, upper);
  return header + upper.size();
}

/// Pads the quoted packet and puts the extensions behind it; returns how long both are. `kind` then
/// tells how long the packet is (RFC 4884, section 4).
template <class To>
size_t append_extension(const IcmpQuote& quote, size_t quoted, std::span<uint8_t> to,
                        IcmpKind& kind) {
  const auto& extension = quote.extension;
  constexpr size_t kUnit = To::kQuoteUnit, kUnitsMax = 255;
  const size_t padded = std::max(kExtendedQuoteMin, (quoted + kUnit - 1) / kUnit * kUnit);
  if (extension.empty() || !To::has_extensions(kind.type) || padded > kUnitsMax * kUnit ||
      padded + extension.size() > to.size()) {
    return quoted;
  }
  std::fill_n(to.data() + quoted, padded - quoted, uint8_t{0});
  std::memcpy(to.data() + padded, extension.data(), extension.size());
  kind.rest |= static_cast<uint32_t>(padded / kUnit) << To::kLengthShift;
  return padded + extension.size();
}

template <class To>
uint16_t translate_error_to(std::span<const uint8_t> packet,
                            const IcmpErrorFields<typename To::Address>& fields,
                            std::span<uint8_t> to) {
  using Header = typename To::Header;
  const auto error = read_error(packet);
  if (!error) return 0;
  std::optional<IcmpKind> kind = To::kind_of(*error, fields.mtus);
  const size_t room = std::min(to.size(), To::kLengthMax);
  constexpr size_t kQuotedAt = sizeof(Header) + sizeof(IcmpHeader);
  if (!kind || room < kQuotedAt) return 0;

  const auto body = to.subspan(kQuotedAt, room - kQuotedAt);
  size_t length = write_quoted<To>(error->quote, fields, body);
  if (length == 0) return 0;
  length = append_extension<To>(error->quote, length, body, *kind);

  const auto icmp_length = static_cast<uint16_t>(sizeof(IcmpHeader) + length);
  auto& icmp = *reinterpret_cast<IcmpHeader*>(to.data() + sizeof(Header));
  icmp = {kind->type, kind->code, {0}, be32::from_host(kind->rest)};
  icmp.checksum = To::checksum(fields, to.subspan(sizeof(Header), icmp_length));
  *reinterpret_cast<Header*>(to.data()) = To::outer(*error, fields, icmp_length);
  return static_cast<uint16_t>(sizeof(Header) + icmp_length);
}

}  // namespace

uint16_t translate_icmp_error(std::span<const uint8_t> packet,
                              const IcmpErrorFields<Ipv4Address>& fields, std::span<uint8_t> to) {
  return translate_error_to<ToIpv4>(packet, fields, to);
}

uint16_t translate_icmp_error(std::span<const uint8_t> packet,
                              const IcmpErrorFields<Ipv6Address>& fields, std::span<uint8_t> to) {
  return translate_error_to<ToIpv6>(packet, fields, to);
}

}  // namespace sluice::net
