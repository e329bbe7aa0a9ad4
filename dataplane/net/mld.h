// SPDX-License-Identifier: BSD-3-Clause
// Multicast listener discovery (RFC 3810): queries read, reports written, so that switches which
// snoop let solicited-node groups through.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/ipv6.h"

namespace sluice::net {

struct MldQuery {
  uint8_t version;           // 1: RFC 2710
  Ipv6Address group;         // :: asks for all
  uint32_t response_max_ms;  // answer within

  bool is_general() const { return is_unspecified(group); }
};

/// Reads a query that is valid by RFC 3810, sections 6.2 and 8.1; nothing otherwise. Of a query for
/// sources of a group the sources are left out: who listens to all of them answers all the same.
std::optional<MldQuery> read_mld_query(std::span<const uint8_t> icmpv6, uint8_t hop_limit,
                                       const Ipv6Address& source, bool has_router_alert);

/// Whether a group is reported: not ff02::1, nor what stays in the host (RFC 3810, section 6).
constexpr bool is_mld_reported(const Ipv6Address& group) {
  const uint8_t scope = group.bytes[1] & 0x0f;
  return is_multicast(group) && group != kAllNodes && scope > 1;
}

/// What a record says of a group (RFC 3810, section 5.2.12).
enum class MldRecordType : uint8_t {
  kListening = 2,  // MODE_IS_EXCLUDE: answers a query
  kLeave = 3,      // CHANGE_TO_INCLUDE_MODE
  kJoin = 4,       // CHANGE_TO_EXCLUDE_MODE
};

inline constexpr uint16_t kMldReportHeadersLength =
    sizeof(Ipv6Header) + sizeof(RouterAlertHeader) + sizeof(MldReportHeader);

/// Groups that fit one report where the link carries `mtu` bytes of IPv6.
constexpr uint16_t mld_report_groups_max(uint16_t mtu) {
  return mtu < kMldReportHeadersLength
             ? uint16_t{0}
             : static_cast<uint16_t>((mtu - kMldReportHeadersLength) / sizeof(MldRecord));
}
constexpr uint16_t mld_report_frame_length(size_t group_count) {
  return static_cast<uint16_t>(sizeof(EthernetHeader) + kMldReportHeadersLength +
                               group_count * sizeof(MldRecord));
}

/// Writes a report of version 2, with a router alert, in a whole frame of mld_report_frame_length()
/// bytes (RFC 3810, section 5.2). `source`: link-local, or :: as long as there is none (RFC 3590,
/// section 4).
uint16_t write_mld_report(std::span<uint8_t> frame, MacAddress our_mac, const Ipv6Address& source,
                          MldRecordType type, std::span<const Ipv6Address> groups);

}  // namespace sluice::net
