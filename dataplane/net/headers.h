// SPDX-License-Identifier: BSD-3-Clause
// Wire layouts: Ethernet II, ARP (RFC 826), IPv4 (RFC 791), TCP (RFC 9293), UDP (RFC 768), ICMP
// (RFC 792).
//
// Every member has alignment 1, so the structs lay over frame bytes without padding.
#pragma once

#include <cstdint>

#include "dataplane/net/address.h"
#include "dataplane/net/byte_order.h"

namespace sluice::net {

inline constexpr be16 kEtherTypeIpv4 = be16::from_host(0x0800);
inline constexpr be16 kEtherTypeArp = be16::from_host(0x0806);

struct EthernetHeader {
  MacAddress destination;
  MacAddress source;
  be16 type;
};
static_assert(sizeof(EthernetHeader) == 14);

inline constexpr be16 kArpRequest = be16::from_host(1);
inline constexpr be16 kArpReply = be16::from_host(2);

struct ArpHeader {
  be16 hardware_type;  // 1: Ethernet
  be16 protocol_type;  // 0x0800
  uint8_t hardware_length;
  uint8_t protocol_length;
  be16 operation;
  MacAddress sender_mac;
  Ipv4Address sender_ip;
  MacAddress target_mac;
  Ipv4Address target_ip;
};
static_assert(sizeof(ArpHeader) == 28);

inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr uint8_t kProtocolUdp = 17;

struct Ipv4Header {
  uint8_t version_ihl;
  uint8_t tos;
  be16 total_length;
  be16 id;
  be16 fragment;  // flags and offset
  uint8_t ttl;
  uint8_t protocol;
  be16 checksum;
  Ipv4Address source;
  Ipv4Address destination;

  uint16_t header_length() const { return static_cast<uint16_t>((version_ihl & 0x0f) * 4); }
  bool is_fragment() const { return (fragment.host() & 0x3fff) != 0; }  // MF or an offset
};
static_assert(sizeof(Ipv4Header) == 20);

namespace tcp_flag {
inline constexpr uint8_t kFin = 0x01;
inline constexpr uint8_t kSyn = 0x02;
inline constexpr uint8_t kRst = 0x04;
inline constexpr uint8_t kPsh = 0x08;
inline constexpr uint8_t kAck = 0x10;
}  // namespace tcp_flag

struct TcpHeader {
  be16 source_port;
  be16 destination_port;
  be32 sequence;
  be32 acknowledgement;
  uint8_t data_offset;  // high four bits: header length in 32-bit words
  uint8_t flags;
  be16 window;
  be16 checksum;
  be16 urgent;

  uint16_t header_length() const { return static_cast<uint16_t>((data_offset >> 4) * 4); }
  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};
static_assert(sizeof(TcpHeader) == 20);

struct UdpHeader {
  be16 source_port;
  be16 destination_port;
  be16 length;    // header and payload, bytes
  be16 checksum;  // 0: none (over IPv4)
};
static_assert(sizeof(UdpHeader) == 8);

/// What TCP and UDP begin with.
struct PortsHeader {
  be16 source_port;
  be16 destination_port;
};

namespace icmp_type {
inline constexpr uint8_t kEchoReply = 0;
inline constexpr uint8_t kUnreachable = 3;
inline constexpr uint8_t kSourceQuench = 4;
inline constexpr uint8_t kRedirect = 5;
inline constexpr uint8_t kEchoRequest = 8;
inline constexpr uint8_t kTimeExceeded = 11;
inline constexpr uint8_t kParameterProblem = 12;
}  // namespace icmp_type

struct IcmpHeader {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be32 rest;
};
static_assert(sizeof(IcmpHeader) == 8);

}  // namespace sluice::net
