// SPDX-License-Identifier: BSD-3-Clause
// MLD messages.
#include "dataplane/net/mld.h"

namespace sluice::net {
namespace {

/// RFC 3810, section 5.1.3; a floating point number from 32,768 on.
uint32_t response_max_ms(uint16_t code) {
  if (code < 0x8000) return code;
  return (uint32_t{code & 0x0fffu} | 0x1000) << ((code >> 12 & 7) + 3);
}

/// Version 1 has exactly its header, version 2 more; what lies between is neither (RFC 3810,
/// section 8.1).
uint8_t query_version(std::span<const uint8_t> icmpv6) {
  if (icmpv6.size() == sizeof(MldQueryHeader)) return 1;
  if (icmpv6.size() < sizeof(MldQueryV2Header)) return 0;
  const auto& query = *reinterpret_cast<const MldQueryV2Header*>(icmpv6.data());
  const size_t sources = size_t{query.source_count.host()} * sizeof(Ipv6Address);
  return icmpv6.size() - sizeof query < sources ? uint8_t{0} : uint8_t{2};
}

struct MldReportFrame {
  EthernetHeader ethernet;
  Ipv6Header ip;
  RouterAlertHeader alert;
  MldReportHeader report;
};
static_assert(sizeof(MldReportFrame) == mld_report_frame_length(0));

}  // namespace

std::optional<MldQuery> read_mld_query(std::span<const uint8_t> icmpv6, uint8_t hop_limit,
                                       const Ipv6Address& source, bool has_router_alert) {
  const uint8_t version = query_version(icmpv6);
  if (version == 0 || hop_limit != 1 || !is_link_local(source) || !has_router_alert) return {};
  const auto& query = *reinterpret_cast<const MldQueryHeader*>(icmpv6.data());
  if (query.type != icmpv6_type::kMldQuery ||
      !(is_unspecified(query.group) || is_multicast(query.group))) {
    return {};
  }
  const uint16_t code = query.response_code.host();
  return MldQuery{version, query.group, version == 1 ? code : response_max_ms(code)};
}

uint16_t write_mld_report(std::span<uint8_t> frame, MacAddress our_mac, const Ipv6Address& source,
                          MldRecordType type, std::span<const Ipv6Address> groups) {
  constexpr size_t kReportAt = offsetof(MldReportFrame, report);
  constexpr uint8_t kRouterAlertOption = 5, kPadN = 1;
  const uint16_t length = mld_report_frame_length(groups.size());
  const size_t icmpv6_length = length - kReportAt;
  auto& headers = *reinterpret_cast<MldReportFrame*>(frame.data());
  headers.ethernet = {multicast_mac(kAllMldv2Routers), our_mac, kEtherTypeIpv6};
  headers.ip = make_ipv6_header(next_header::kHopByHop,
                                static_cast<uint16_t>(sizeof(RouterAlertHeader) + icmpv6_length), 1,
                                source, kAllMldv2Routers);
  headers.alert = {kProtocolIcmpv6, 0, kRouterAlertOption, 2, {0}, kPadN, 0};
  headers.report = {icmpv6_type::kMldReportV2,
                    0,
                    {0},
                    {0},
                    be16::from_host(static_cast<uint16_t>(groups.size()))};
  auto* record = reinterpret_cast<MldRecord*>(&headers + 1);
  for (const Ipv6Address& group : groups) *record++ = {static_cast<uint8_t>(type), 0, {0}, group};
  headers.report.checksum = checksum_of(source, kAllMldv2Routers, kProtocolIcmpv6,
                                        frame.subspan(kReportAt, icmpv6_length));
  return length;
}

}  // namespace sluice::net
