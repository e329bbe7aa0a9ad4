// SPDX-License-Identifier: BSD-3-Clause
// ICMPv6 messages.
#include "dataplane/net/icmpv6.h"

#include <algorithm>
#include <utility>

namespace sluice::net {
namespace {

constexpr uint8_t kOurHopLimit = 64;

/// An error or a redirect; or cut off so that nobody can tell.
bool is_no_question(std::span<const uint8_t> icmpv6) {
  constexpr uint8_t kFirstInformational = 128;
  return icmpv6.empty() || icmpv6[0] < kFirstInformational || icmpv6[0] == icmpv6_type::kRedirect;
}

}  // namespace

void icmpv6_echo_answer(Ipv6Header& ip, Icmpv6Header& icmp) {
  std::swap(ip.source, ip.destination);
  ip.hop_limit = kOurHopLimit;
  const auto first_word = [&] {
    return be16::from_host(static_cast<uint16_t>(icmp.type << 8 | icmp.code));
  };
  ChecksumDelta delta;
  const be16 asked = first_word();
  icmp.type = icmpv6_type::kEchoReply;
  delta.replace(asked, first_word());
  icmp.checksum = delta.applied_to(icmp.checksum);
}

bool icmpv6_error_allowed(const Ipv6Header& ip, const Ipv6Payload& payload,
                          std::span<const uint8_t> behind_header, uint8_t type, uint8_t code) {
  const bool groups_too =
      type == icmpv6_type::kPacketTooBig ||
      (type == icmpv6_type::kParameterProblem && code == icmpv6_code::kUnknownOption);
  if (!ipv6_source_possible(ip.source) || (is_multicast(ip.destination) && !groups_too)) {
    return false;
  }
  return payload.protocol != kProtocolIcmpv6 ||
         (!payload.is_fragment && !is_no_question(behind_header.subspan(payload.offset)));
}

uint16_t write_icmpv6_error(std::span<uint8_t> frame, const Icmpv6Error& fields,
                            std::span<const uint8_t> packet) {
  constexpr size_t kIcmpv6At = sizeof(EthernetHeader) + sizeof(Ipv6Header);
  const auto quote = packet.first(std::min<size_t>(packet.size(), kIcmpv6QuoteLengthMax));
  const size_t length = sizeof(Icmpv6Header) + quote.size();
  auto& ip = *reinterpret_cast<Ipv6Header*>(frame.data() + sizeof(EthernetHeader));
  auto& icmp = *reinterpret_cast<Icmpv6Header*>(frame.data() + kIcmpv6At);
  ip = make_ipv6_header(kProtocolIcmpv6, static_cast<uint16_t>(length), kOurHopLimit, fields.source,
                        fields.destination);
  icmp = {fields.type, fields.code, {0}, be32::from_host(fields.rest)};
  std::memcpy(&icmp + 1, quote.data(), quote.size());
  icmp.checksum = checksum_of(fields.source, fields.destination, kProtocolIcmpv6,
                              frame.subspan(kIcmpv6At, length));
  return static_cast<uint16_t>(kIcmpv6At + length);
}

}  // namespace sluice::net
