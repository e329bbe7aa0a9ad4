// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a packet of either family, from its IP header on: extension headers walked, ND, MLD
// and ICMP read, errors translated to both families. What comes out is right by its own words.
#include <cstdlib>
#include <span>
#include <vector>

#include "dataplane/net/icmp_quote.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/ipv4_options.h"
#include "dataplane/net/mld.h"
#include "dataplane/net/nd.h"
#include "dataplane/net/xlat.h"
#include "dataplane/net/xlat_icmp.h"

namespace {

using namespace sluice::net;  // NOLINT
using Bytes = std::span<const uint8_t>;

void require(bool truth) {
  if (!truth) std::abort();
}

constexpr Ipv6Address kHere{{0xfd, 1}}, kThere{{0xfd, 2}};
constexpr Ipv4Address kHere4 = be32::from_host(0x0a010001), kThere4 = be32::from_host(0x0a020001);
constexpr be16 kPort = be16::from_host(1024);

void check_quote(const std::optional<IcmpQuote>& quote, Bytes icmp) {
  if (!quote) return;
  require(quote->packet.data() == icmp.data() + sizeof(IcmpHeader));
  require(quote->upper_at + 8u <= quote->packet.size());
  require(quote->packet.size() + quote->extension.size() + sizeof(IcmpHeader) <= icmp.size());
}

template <class Address>
IcmpErrorFields<Address> fields_of(const Address& here, const Address& there) {
  return {here, there, 63, 7, there, here, kPort, kPort, 900, {1500, 1500}};
}

void check_ports(const std::optional<IcmpQuote>& quote) {
  require(quote && quote->ports().source_port == kPort);
  require(quote->ports().destination_port == kPort);
}

void check_translation(Bytes packet, size_t room) {
  std::vector<uint8_t> to(room);  // of the exact size
  if (const uint16_t length = translate_icmp_error(packet, fields_of(kHere4, kThere4), to)) {
    require(length <= room && length <= 576);
    const auto& ip = *reinterpret_cast<const Ipv4Header*>(to.data());
    const Bytes icmp = Bytes(to).subspan(sizeof ip, length - sizeof ip);
    require(ipv4_checksum_ok(ip) && ip.total_length.host() == length);
    require(checksum_ok(icmp.data(), icmp.size()));
    check_ports(read_icmp_quote(icmp));
  }
  if (const uint16_t length = translate_icmp_error(packet, fields_of(kHere, kThere), to)) {
    require(length <= room && length <= 1280);
    const auto& ip = *reinterpret_cast<const Ipv6Header*>(to.data());
    const Bytes icmp = Bytes(to).subspan(sizeof ip, length - sizeof ip);
    require(sizeof ip + ip.payload_length.host() == length);
    require(checksum_ok(kHere, kThere, kProtocolIcmpv6, icmp));
    check_ports(read_icmpv6_quote(icmp));
  }
}

void play_ipv4(Bytes packet) {
  if (packet.size() < sizeof(Ipv4Header)) return;
  const auto& ip = *reinterpret_cast<const Ipv4Header*>(packet.data());
  if (ip.header_length() < sizeof ip || ip.header_length() > packet.size()) return;
  has_source_route_left(ip);
  const Bytes icmp = packet.subspan(ip.header_length());
  check_quote(read_icmp_quote(icmp), icmp);
}

void play_ipv6(Bytes packet) {
  if (packet.size() < sizeof(Ipv6Header)) return;
  const auto& ip = *reinterpret_cast<const Ipv6Header*>(packet.data());
  const Bytes behind = packet.subspan(sizeof ip);
  const Ipv6Payload payload = find_upper_layer(ip, behind);
  require(payload.offset <= behind.size() && payload.named_at < packet.size());
  if (payload.fault != Ipv6Fault::kNone) return;
  icmpv6_error_allowed(ip, payload, behind, icmpv6_type::kPacketTooBig, 0);
  const Bytes icmp = behind.subspan(payload.offset);
  read_nd(icmp, ip.hop_limit, ip.source, ip.destination);
  read_mld_query(icmp, ip.hop_limit, ip.source, payload.has_router_alert);
  check_quote(read_icmpv6_quote(icmp), icmp);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A buffer of its own and of the exact size: one byte too far is seen.
  const std::vector<uint8_t> packet(data + 1, data + size);
  check_translation(packet, *data == 0 ? kTranslatedErrorLengthMax : *data);
  play_ipv4(packet);
  play_ipv6(packet);
  return 0;
}
