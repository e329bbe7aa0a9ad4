// SPDX-License-Identifier: BSD-3-Clause
// From frame bytes to pointers at headers that are known to lie inside the frame.
//
// parse() accepts a frame only when every length in it agrees with the others; after it, the stages
// read headers without another bounds check. It changes nothing and keeps nothing.
//
// Nearly every packet is plain TCP or UDP: over IP without options, and right in all. It is
// parsed by one look at its headers as a whole, TCP in line; whatever fails that is parsed step by
// step, which also finds out what is wrong with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/net/checksum.h"
#include "dataplane/net/drop_reason.h"
#include "dataplane/net/headers.h"

namespace sluice::net {

/// Views into one frame; valid as long as the frame is.
struct Packet {
  enum class Kind : uint8_t { kArp, kTcp, kUdp, kIcmp, kBad };

  Kind kind;
  bool is_v6;          // kTcp, kUdp, kIcmp
  DropReason reason;   // of kBad
  uint16_t l4_length;  // what IP carries, bytes: TCP, UDP or ICMP header and payload
  EthernetHeader* ethernet;
  union {
    Ipv4Header* ip;   // kTcp, kUdp, kIcmp
    Ipv6Header* ip6;  // the same over IPv6
    ArpHeader* arp;   // kArp
  };
  union {
    TcpHeader* tcp;      // kTcp
    UdpHeader* udp;      // kUdp
    PortsHeader* ports;  // both
    IcmpHeader* icmp;    // kIcmp
  };

  // Of IP of either family.
  uint8_t hop_limit() const { return is_v6 ? ip6->hop_limit : ip->ttl; }
  IpAddress source_ip() const { return is_v6 ? IpAddress(ip6->source) : IpAddress(ip->source); }
  IpAddress destination_ip() const {
    return is_v6 ? IpAddress(ip6->destination) : IpAddress(ip->destination);
  }
  /// Headers in front of what IP carries: options and extension headers too.
  uint16_t ip_header_length() const {
    return static_cast<uint16_t>(reinterpret_cast<const uint8_t*>(ports) -
                                 reinterpret_cast<const uint8_t*>(ip));
  }
  /// All of the IP packet; a frame may be longer.
  uint16_t ip_length() const {
    return is_v6 ? static_cast<uint16_t>(sizeof(Ipv6Header) + ip6->payload_length.host())
                 : ip->total_length.host();
  }

  uint16_t payload_length() const {
    return static_cast<uint16_t>(l4_length - tcp->header_length());
  }
  /// Of UDP: what it says itself; IP may carry more behind it (RFC 9868).
  uint16_t udp_payload_length() const {
    return static_cast<uint16_t>(udp->length.host() - sizeof(UdpHeader));
  }
  /// Sequence space that the segment takes: payload, SYN and FIN (RFC 9293, section 3.4).
  uint32_t sequence_length() const {
    return uint32_t{payload_length()} + tcp->has(tcp_flag::kSyn) + tcp->has(tcp_flag::kFin);
  }
  uint32_t sequence_end() const { return tcp->sequence.host() + sequence_length(); }
};

namespace detail {

/// What a byte can be, worked out when this is compiled.
using ByteSet = std::array<bool, 256>;

constexpr ByteSet make_set(bool (*contains)(uint8_t)) {
  ByteSet set{};
  for (size_t byte = 0; byte < set.size(); ++byte) set[byte] = contains(static_cast<uint8_t>(byte));
  return set;
}

/// First bytes of a source address: not "this" net, loopback, multicast and above.
inline constexpr ByteSet kSources =
    make_set([](uint8_t first) { return first != 0 && first != 127 && first < 224; });

inline constexpr ByteSet kTcpFlags = make_set([](uint8_t flags) {
  using namespace tcp_flag;
  if ((flags & (kSyn | kFin | kRst | kAck)) == 0) return false;
  if ((flags & kSyn) != 0) return (flags & (kFin | kRst)) == 0;
  return (flags & (kFin | kRst)) != (kFin | kRst);
});

/// Of plain TCP.
struct PlainHeaders {
  EthernetHeader ethernet;
  Ipv4Header ip;
  TcpHeader tcp;
};
static_assert(sizeof(PlainHeaders) == 54);

}  // namespace detail

/// False, and nothing said, of what is not plain TCP or not right.
[[gnu::always_inline]] inline bool parse_plain_tcp(std::span<uint8_t> frame, Packet& packet) {
  using detail::PlainHeaders;
  if (frame.size() < sizeof(PlainHeaders)) return false;
  auto& headers = *reinterpret_cast<PlainHeaders*>(frame.data());
  Ipv4Header& ip = headers.ip;
  TcpHeader& tcp = headers.tcp;
  constexpr uint8_t kVersion4WithoutOptions = 0x45;
  const uint16_t total = ip.total_length.host();
  if (headers.ethernet.type != kEtherTypeIpv4 || ip.version_ihl != kVersion4WithoutOptions ||
      ip.protocol != kProtocolTcp || ip.is_fragment() ||
      total < sizeof(Ipv4Header) + sizeof(TcpHeader) ||
      total > frame.size() - sizeof(EthernetHeader)) {
    return false;
  }
  const auto l4_length = static_cast<uint16_t>(total - sizeof(Ipv4Header));
  const uint16_t header = tcp.header_length();
  if (header < sizeof(TcpHeader) || header > l4_length || tcp.source_port.raw == 0 ||
      tcp.destination_port.raw == 0 || !detail::kTcpFlags[tcp.flags] ||
      !detail::kSources[ip.source.host() >> 24] || !ipv4_checksum_ok(ip)) {
    return false;
  }
  packet.kind = Packet::Kind::kTcp;
  packet.is_v6 = false;
  packet.l4_length = l4_length;
  packet.ethernet = &headers.ethernet;
  packet.ip = &ip;
  packet.tcp = &tcp;
  return true;
}

/// Of every kind.
void parse_any(std::span<uint8_t> frame, Packet& packet);

/// Of every kind but plain TCP over IPv4; that over IPv6 and UDP first, by one look as well.
void parse_other(std::span<uint8_t> frame, Packet& packet);

/// Fills in what its kind says of a packet, in place: a Packet that is copied right after its parts
/// were written costs more than the parsing.
[[gnu::always_inline]] inline void parse(std::span<uint8_t> frame, Packet& packet) {
  if (!parse_plain_tcp(frame, packet)) [[unlikely]] {
    parse_other(frame, packet);
  }
}

inline Packet parse(std::span<uint8_t> frame) {
  Packet packet{};
  parse(frame, packet);
  return packet;
}

}  // namespace sluice::net
