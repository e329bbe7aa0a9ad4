// SPDX-License-Identifier: BSD-3-Clause
// The tables of RFC 7915, sections 4.2 and 5.2.
#include "dataplane/net/xlat_icmp_type.h"

#include <algorithm>
#include <array>

#include "dataplane/net/headers.h"
#include "dataplane/net/icmp_quote.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/xlat.h"

namespace sluice::net {
namespace {

constexpr uint8_t kNotThere = 0xff;

/// Figure 3: where a field of IPv4 went.
constexpr std::array<uint8_t, sizeof(Ipv4Header)> kPointerInIpv6 = {
    0,         1,         4, 4, kNotThere, kNotThere, kNotThere, kNotThere, 7,  6,
    kNotThere, kNotThere, 8, 8, 8,         8,         24,        24,        24, 24};

/// Figure 6: the same of IPv6.
constexpr std::array<uint8_t, sizeof(Ipv6Header)> kPointerInIpv4 = {
    0,  1,  kNotThere, kNotThere, 2,  2,  9,  8,  12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
    12, 12, 12,        12,        16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16};

/// Codes of "unreachable" by ICMP's; those with types of their own elsewhere.
constexpr std::array<uint8_t, 16> kUnreachableCodeInIpv6 = [] {
  using namespace icmpv6_code;
  std::array<uint8_t, 16> codes{};
  codes.fill(kNoRoute);
  codes[3] = kPortUnreachable;
  for (const size_t prohibited : {9, 10, 13, 15}) codes[prohibited] = kProhibited;
  codes[14] = kNotThere;  // precedence
  return codes;
}();

/// By ICMPv6's.
constexpr std::array<uint8_t, 5> kUnreachableCodeInIpv4 = {1, 10, 1, 1, 3};

constexpr uint8_t kProtocolUnreachableCode = 2, kFragmentationNeededCode = 4;

/// RFC 1191, section 7.1: the largest below the length, of those that IPv6 knows; else what becomes
/// 1,280.
uint32_t plateau_below(uint16_t length) {
  constexpr uint16_t kPlateaus[] = {32000, 17914, 8166, 4352, 2002, 1492};
  for (const uint16_t plateau : kPlateaus) {
    if (plateau < length) return plateau;
  }
  return kXlatDontFragmentAbove;
}

std::optional<IcmpKind> unreachable_to_icmpv6(IcmpKind error, uint16_t quoted_length,
                                              LinkMtus mtus) {
  if (error.code == kProtocolUnreachableCode) {
    return IcmpKind{icmpv6_type::kParameterProblem, icmpv6_code::kUnknownNextHeader,
                    offsetof(Ipv6Header, next_header)};
  }
  if (error.code == kFragmentationNeededCode) {
    const uint32_t told = error.rest & 0xffff;
    const uint32_t mtu = told != 0 ? told : plateau_below(quoted_length);
    const uint32_t links = std::min<uint32_t>(mtus.to, uint32_t{mtus.from} + kXlatGrowth);
    return IcmpKind{icmpv6_type::kPacketTooBig, 0,
                    std::max<uint32_t>(kIpv6MtuMin, std::min(mtu + kXlatGrowth, links))};
  }
  if (error.code >= kUnreachableCodeInIpv6.size()) return {};
  const uint8_t code = kUnreachableCodeInIpv6[error.code];
  if (code == kNotThere) return {};
  return IcmpKind{icmpv6_type::kUnreachable, code};
}

std::optional<IcmpKind> parameter_problem_to_icmpv6(IcmpKind error) {
  constexpr uint8_t kAtPointer = 0, kBadLength = 2;
  const uint32_t pointer = error.rest >> 24;
  if ((error.code != kAtPointer && error.code != kBadLength) || pointer >= kPointerInIpv6.size() ||
      kPointerInIpv6[pointer] == kNotThere) {
    return {};
  }
  return IcmpKind{icmpv6_type::kParameterProblem, icmpv6_code::kErroneousHeader,
                  kPointerInIpv6[pointer]};
}

std::optional<IcmpKind> parameter_problem_to_icmp(IcmpKind error) {
  if (error.code == icmpv6_code::kUnknownNextHeader) {
    return IcmpKind{icmp_type::kUnreachable, kProtocolUnreachableCode};
  }
  const uint32_t pointer = error.rest;
  if (error.code != icmpv6_code::kErroneousHeader || pointer >= kPointerInIpv4.size() ||
      kPointerInIpv4[pointer] == kNotThere) {
    return {};
  }
  return IcmpKind{icmp_type::kParameterProblem, 0, uint32_t{kPointerInIpv4[pointer]} << 24};
}

}  // namespace

std::optional<IcmpKind> icmp_to_icmpv6(IcmpKind error, uint16_t quoted_length, LinkMtus mtus) {
  switch (error.type) {
    case icmp_type::kUnreachable:
      return unreachable_to_icmpv6(error, quoted_length, mtus);
    case icmp_type::kTimeExceeded:
      return IcmpKind{icmpv6_type::kTimeExceeded, error.code};
    case icmp_type::kParameterProblem:
      return parameter_problem_to_icmpv6(error);
    default:
      return {};
  }
}

std::optional<IcmpKind> icmpv6_to_icmp(IcmpKind error, LinkMtus mtus) {
  switch (error.type) {
    case icmpv6_type::kUnreachable:
      if (error.code >= kUnreachableCodeInIpv4.size()) return {};
      return IcmpKind{icmp_type::kUnreachable, kUnreachableCodeInIpv4[error.code]};
    case icmpv6_type::kPacketTooBig: {
      if (error.rest < kIpv6MtuMin) return {};
      const uint32_t largest = std::min<uint32_t>(error.rest, mtus.from) - kXlatGrowth;
      return IcmpKind{icmp_type::kUnreachable, kFragmentationNeededCode,
                      std::min<uint32_t>(largest, mtus.to)};
    }
    case icmpv6_type::kTimeExceeded:
      return IcmpKind{icmp_type::kTimeExceeded, error.code};
    case icmpv6_type::kParameterProblem:
      return parameter_problem_to_icmp(error);
    default:
      return {};
  }
}

std::optional<IcmpKind> same_icmp(IcmpKind error) {
  if (!icmp_has_extensions(error.type)) return {};  // the same types
  return IcmpKind{error.type, error.code, error.rest & 0xff00ffff};
}

std::optional<IcmpKind> same_icmpv6(IcmpKind error) {
  if (!icmpv6_is_error(error.type) ||
      (error.type == icmpv6_type::kPacketTooBig && error.rest < kIpv6MtuMin)) {
    return {};
  }
  if (icmpv6_has_extensions(error.type)) error.rest &= 0x00ffffff;
  return error;
}

}  // namespace sluice::net
