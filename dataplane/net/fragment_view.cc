// SPDX-License-Identifier: BSD-3-Clause
// Fields of fragments.
#include "dataplane/net/fragment_view.h"

#include <cstring>

#include "dataplane/net/ipv6.h"

namespace sluice::net {
namespace {

constexpr uint16_t kMoreFlag4 = 0x2000;
constexpr uint16_t kOffsetBits4 = 0x1fff;
constexpr uint16_t kMoreFlag6 = 1;
constexpr uint16_t kOffsetBits6 = 0xfff8;

FragmentView view_v4(const Ipv4Header& ip) {
  const uint16_t field = ip.fragment.host();
  const uint16_t header = ip.header_length();
  return {ip.source,
          ip.destination,
          be32::from_host(ip.id.host()),
          static_cast<uint16_t>((field & kOffsetBits4) * 8),
          static_cast<uint16_t>(ip.total_length.host() - header),
          (field & kMoreFlag4) != 0,
          ip.protocol,
          header,
          reinterpret_cast<const uint8_t*>(&ip) + header};
}

FragmentView view_v6(const Ipv6Header& ip) {
  const auto* behind = reinterpret_cast<const uint8_t*>(&ip + 1);
  const uint16_t length = ip.payload_length.host();
  const Ipv6Payload payload = find_upper_layer(ip, {behind, length});
  const uint8_t* data = behind + payload.offset;
  const auto& header =
      *reinterpret_cast<const Ipv6FragmentHeader*>(data - sizeof(Ipv6FragmentHeader));
  const uint16_t field = header.offset.host();
  return {ip.source,
          ip.destination,
          header.id,
          static_cast<uint16_t>(field & kOffsetBits6),
          static_cast<uint16_t>(length - payload.offset),
          (field & kMoreFlag6) != 0,
          header.next_header,
          static_cast<uint16_t>(sizeof(Ipv6Header) + payload.offset),
          data};
}

/// What a first fragment has to hold of a transport header.
size_t transport_header(uint8_t protocol) {
  return protocol == kProtocolTcp ? sizeof(TcpHeader) : sizeof(UdpHeader);
}

/// RFC 7112: the whole chain of headers is in the first fragment.
bool is_chain_cut(const FragmentView& fragment) {
  Ipv6Header ip{};
  ip.next_header = fragment.protocol;
  ip.payload_length = be16::from_host(fragment.length);
  const Ipv6Payload payload = find_upper_layer(ip, {fragment.data, fragment.length});
  if (payload.fault == Ipv6Fault::kTruncated) return true;
  if (payload.fault != Ipv6Fault::kNone || payload.is_fragment) return false;  // bad when whole
  return size_t{fragment.length} < payload.offset + transport_header(payload.protocol);
}

bool is_tiny(const FragmentView& fragment) {
  if (fragment.is_first()) {
    return fragment.source.is_v4() ? fragment.length < transport_header(fragment.protocol)
                                   : is_chain_cut(fragment);
  }
  return fragment.protocol == kProtocolTcp && fragment.offset < sizeof(TcpHeader);
}

}  // namespace

FragmentView view_fragment(const Packet& packet) {
  return packet.is_v6 ? view_v6(*packet.ip6) : view_v4(*packet.ip);
}

std::optional<DropReason> fragment_fault(const FragmentView& fragment) {
  constexpr uint16_t kUnit = 8;
  if (fragment.length == 0 || (fragment.more && fragment.length % kUnit != 0)) {
    return DropReason::fragment_bad;
  }
  if (fragment.end() > UINT16_MAX) return DropReason::fragment_bad;
  if (is_tiny(fragment)) return DropReason::fragment_tiny;
  return std::nullopt;
}

uint16_t strip_before_fragment(Packet& packet, FragmentView& fragment) {
  constexpr uint16_t kPlain = sizeof(Ipv6Header) + sizeof(Ipv6FragmentHeader);
  const auto extra = static_cast<uint16_t>(fragment.header_length - kPlain);
  if (extra == 0) return 0;
  auto* front = reinterpret_cast<uint8_t*>(packet.ethernet);
  std::memmove(front + extra, front, sizeof(EthernetHeader) + sizeof(Ipv6Header));
  packet.ethernet = reinterpret_cast<EthernetHeader*>(front + extra);
  packet.ip6 = reinterpret_cast<Ipv6Header*>(packet.ethernet + 1);
  packet.ip6->next_header = next_header::kFragment;
  packet.ip6->payload_length =
      be16::from_host(static_cast<uint16_t>(packet.ip6->payload_length.host() - extra));
  fragment.header_length = kPlain;
  return extra;
}

}  // namespace sluice::net
