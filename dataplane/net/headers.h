// SPDX-License-Identifier: BSD-3-Clause
// Wire layouts: Ethernet II, ARP (RFC 826), IPv4 (RFC 791), TCP (RFC 9293), UDP (RFC 768), ICMP
// (RFC 792); IPv6 (RFC 8200), ICMPv6 (RFC 4443), neighbour discovery (RFC 4861), MLDv2 (RFC 3810).
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
inline constexpr uint8_t kEce = 0x40;  // RFC 3168, section 6.1
inline constexpr uint8_t kCwr = 0x80;
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

inline constexpr be16 kEtherTypeIpv6 = be16::from_host(0x86dd);
inline constexpr uint8_t kProtocolIcmpv6 = 58;

struct Ipv6Header {
  be32 version_class_flow;  // 4, 8 and 20 bits
  be16 payload_length;      // all behind this header, extension headers too
  uint8_t next_header;
  uint8_t hop_limit;
  Ipv6Address source;
  Ipv6Address destination;

  uint8_t version() const { return static_cast<uint8_t>(version_class_flow.host() >> 28); }
  uint8_t traffic_class() const {
    return static_cast<uint8_t>(version_class_flow.host() >> 20 & 0xff);
  }
  uint32_t flow_label() const { return version_class_flow.host() & 0xfffff; }
};
static_assert(sizeof(Ipv6Header) == 40);

/// Of extension headers (RFC 8200, section 4); protocols have theirs above.
namespace next_header {
inline constexpr uint8_t kHopByHop = 0;
inline constexpr uint8_t kRouting = 43;
inline constexpr uint8_t kFragment = 44;
inline constexpr uint8_t kNone = 59;
inline constexpr uint8_t kDestinationOptions = 60;
}  // namespace next_header

/// What every extension header begins with.
struct ExtensionHeader {
  uint8_t next_header;
  uint8_t length;  // in units of eight bytes, the first eight not counted
};

struct Ipv6FragmentHeader {
  uint8_t next_header;
  uint8_t reserved;
  be16 offset;  // 13 bits in units of eight bytes, two reserved, "more fragments"
  be32 id;

  /// Not of an atomic fragment, which is a whole packet (RFC 6946).
  bool is_fragment() const { return (offset.host() & 0xfff9) != 0; }
};
static_assert(sizeof(Ipv6FragmentHeader) == 8);

namespace icmpv6_type {
inline constexpr uint8_t kUnreachable = 1;
inline constexpr uint8_t kPacketTooBig = 2;
inline constexpr uint8_t kTimeExceeded = 3;
inline constexpr uint8_t kParameterProblem = 4;
inline constexpr uint8_t kEchoRequest = 128;
inline constexpr uint8_t kEchoReply = 129;
inline constexpr uint8_t kMldQuery = 130;
inline constexpr uint8_t kMldReport = 131;  // version 1
inline constexpr uint8_t kMldDone = 132;
inline constexpr uint8_t kRouterSolicitation = 133;
inline constexpr uint8_t kRouterAdvertisement = 134;
inline constexpr uint8_t kNeighbourSolicitation = 135;
inline constexpr uint8_t kNeighbourAdvertisement = 136;
inline constexpr uint8_t kRedirect = 137;
inline constexpr uint8_t kMldReportV2 = 143;
}  // namespace icmpv6_type

/// RFC 4443, section 3; each behind the type that it belongs to.
namespace icmpv6_code {
inline constexpr uint8_t kNoRoute = 0;  // kUnreachable
inline constexpr uint8_t kProhibited = 1;
inline constexpr uint8_t kBeyondScope = 2;
inline constexpr uint8_t kAddressUnreachable = 3;
inline constexpr uint8_t kPortUnreachable = 4;
inline constexpr uint8_t kSourcePolicy = 5;
inline constexpr uint8_t kRejectRoute = 6;
inline constexpr uint8_t kHopLimitExceeded = 0;  // kTimeExceeded
inline constexpr uint8_t kReassemblyTimeExceeded = 1;
inline constexpr uint8_t kErroneousHeader = 0;  // kParameterProblem
inline constexpr uint8_t kUnknownNextHeader = 1;
inline constexpr uint8_t kUnknownOption = 2;
}  // namespace icmpv6_code

/// As ICMP's: the type, the code, the checksum (with a pseudo header), and four bytes by type.
using Icmpv6Header = IcmpHeader;

/// A neighbour solicitation or advertisement (RFC 4861, sections 4.3 and 4.4); options behind it.
struct NeighbourMessage {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be32 flags;  // nd_flag; none of a solicitation
  Ipv6Address target;
};
static_assert(sizeof(NeighbourMessage) == 24);

namespace nd_flag {
inline constexpr uint32_t kRouter = 0x80000000;
inline constexpr uint32_t kSolicited = 0x40000000;
inline constexpr uint32_t kOverride = 0x20000000;
}  // namespace nd_flag

namespace nd_option {
inline constexpr uint8_t kSourceLinkAddress = 1;
inline constexpr uint8_t kTargetLinkAddress = 2;
}  // namespace nd_option

/// RFC 4861, section 4.6.1, over Ethernet (RFC 2464, section 6).
struct LinkAddressOption {
  uint8_t type;
  uint8_t length;  // in units of eight bytes: 1
  MacAddress mac;
};
static_assert(sizeof(LinkAddressOption) == 8);

/// RFC 2710, section 3; that of version 2 goes on behind it.
struct MldQueryHeader {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be16 response_code;  // maximum response delay
  be16 reserved;
  Ipv6Address group;  // :: in a general query
};
static_assert(sizeof(MldQueryHeader) == 24);

/// RFC 3810, section 5.1; the sources stand behind it.
struct MldQueryV2Header {
  MldQueryHeader common;
  uint8_t robustness;
  uint8_t interval_code;
  be16 source_count;
};
static_assert(sizeof(MldQueryV2Header) == 28);

/// RFC 3810, section 5.2; the records stand behind it.
struct MldReportHeader {
  uint8_t type;
  uint8_t reserved;
  be16 checksum;
  be16 reserved_too;
  be16 record_count;
};
static_assert(sizeof(MldReportHeader) == 8);

struct MldRecord {
  uint8_t type;
  uint8_t auxiliary_length;
  be16 source_count;
  Ipv6Address group;
};
static_assert(sizeof(MldRecord) == 20);

/// A hop-by-hop header with nothing but a router alert (RFC 2711) in it.
struct RouterAlertHeader {
  uint8_t next_header;
  uint8_t length;
  uint8_t option;
  uint8_t option_length;
  be16 value;  // 0: MLD
  uint8_t pad_option;
  uint8_t pad_length;
};
static_assert(sizeof(RouterAlertHeader) == 8);

}  // namespace sluice::net
