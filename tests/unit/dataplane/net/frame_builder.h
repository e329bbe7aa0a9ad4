// SPDX-License-Identifier: BSD-3-Clause
// Frames for tests, built byte by byte and judged by a checksum of its own, so that no code under
// test vouches for itself.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "dataplane/net/headers.h"
#include "dataplane/net/parse.h"

namespace sluice::test {

/// A type of its own, so that the operators here are found from every namespace.
struct Bytes : std::vector<uint8_t> {
  using vector::vector;
};

inline constexpr size_t kIpAt = sizeof(net::EthernetHeader);
inline constexpr size_t kTcpAt = kIpAt + sizeof(net::Ipv4Header);  // without IP options

constexpr net::Ipv4Address ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return net::be32::from_host(uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d);
}
constexpr net::Ipv4Endpoint endpoint(net::Ipv4Address ip, uint16_t port) {
  return {ip, net::be16::from_host(port)};
}
constexpr net::MacAddress mac(uint8_t last) {
  return {{0x02, 0, 0, 0, 0, last}};
}

inline void put16(Bytes& bytes, uint16_t value) {
  bytes.push_back(static_cast<uint8_t>(value >> 8));
  bytes.push_back(static_cast<uint8_t>(value));
}
inline void put32(Bytes& bytes, uint32_t value) {
  put16(bytes, static_cast<uint16_t>(value >> 16));
  put16(bytes, static_cast<uint16_t>(value));
}
inline uint32_t get32(std::span<const uint8_t> bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}
inline uint16_t get16(std::span<const uint8_t> bytes, size_t at) {
  return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
inline Bytes slice(const Bytes& bytes, size_t from, size_t to) {
  return Bytes(bytes.begin() + static_cast<ptrdiff_t>(from),
               bytes.begin() + static_cast<ptrdiff_t>(to));
}

namespace option {
inline Bytes nop(size_t count = 1) {
  return Bytes(count, 1);
}
inline Bytes timestamps(uint32_t value, uint32_t echo) {
  Bytes bytes = {8, 10};
  put32(bytes, value);
  put32(bytes, echo);
  return bytes;
}
inline Bytes window_scale(uint8_t adjust) {
  return {3, 3, adjust};
}
inline Bytes mss(uint16_t size) {
  Bytes bytes = {2, 4};
  put16(bytes, size);
  return bytes;
}
inline Bytes sack(std::initializer_list<uint32_t> edges) {
  Bytes bytes = {5, static_cast<uint8_t>(2 + 4 * edges.size())};
  for (const uint32_t edge : edges) put32(bytes, edge);
  return bytes;
}
}  // namespace option

/// RFC 1071 as its section 1 words it: 16-bit big-endian words, carries folded one by one.
inline uint16_t reference_checksum(std::span<const uint8_t> bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<uint16_t>(~sum);
}

inline size_t ip_header_length(std::span<const uint8_t> frame) {
  return (frame[kIpAt] & 15u) * 4;
}
inline Bytes pseudo_header_and_segment(std::span<const uint8_t> frame) {
  const size_t l4 = kIpAt + ip_header_length(frame);
  const size_t length = get16(frame, kIpAt + 2) - ip_header_length(frame);
  Bytes bytes(frame.begin() + kIpAt + 12, frame.begin() + kIpAt + 20);
  put16(bytes, frame[kIpAt + 9]);
  put16(bytes, static_cast<uint16_t>(length));
  bytes.insert(bytes.end(), frame.begin() + static_cast<ptrdiff_t>(l4),
               frame.begin() + static_cast<ptrdiff_t>(l4 + length));
  return bytes;
}
// A block that holds its own right checksum sums to 0xffff, so its checksum is 0.
inline bool ip_checksum_right(std::span<const uint8_t> frame) {
  return reference_checksum(frame.subspan(kIpAt, ip_header_length(frame))) == 0;
}
inline bool tcp_checksum_right(std::span<const uint8_t> frame) {
  return reference_checksum(pseudo_header_and_segment(frame)) == 0;
}
inline bool icmp_checksum_right(std::span<const uint8_t> frame) {
  const size_t l4 = kIpAt + ip_header_length(frame);
  return reference_checksum(frame.subspan(l4, get16(frame, kIpAt + 2) + kIpAt - l4)) == 0;
}
inline void store_checksum(Bytes& frame, size_t at, uint16_t checksum) {
  frame[at] = static_cast<uint8_t>(checksum >> 8);
  frame[at + 1] = static_cast<uint8_t>(checksum);
}

struct Ip {
  net::Ipv4Address source = ip4(10, 1, 0, 1);
  net::Ipv4Address destination = ip4(10, 3, 0, 1);
  uint8_t protocol = net::kProtocolTcp;
  uint8_t ttl = 64;
  uint16_t fragment = 0x4000;
  Bytes options = {};  // a multiple of four
  net::MacAddress to = mac(1);
  net::MacAddress from = mac(99);
};

inline Bytes ethernet_header(net::MacAddress to, net::MacAddress from, uint16_t type) {
  Bytes frame(to.bytes.begin(), to.bytes.end());
  frame.insert(frame.end(), from.bytes.begin(), from.bytes.end());
  put16(frame, type);
  return frame;
}

inline void fix_ip_checksum(Bytes& frame) {
  store_checksum(frame, kIpAt + 10, 0);
  const std::span<const uint8_t> header(frame.data() + kIpAt, ip_header_length(frame));
  store_checksum(frame, kIpAt + 10, reference_checksum(header));
}
inline void fix_tcp_checksum(Bytes& frame) {
  const size_t at = kIpAt + ip_header_length(frame) + 16;
  store_checksum(frame, at, 0);
  store_checksum(frame, at, reference_checksum(pseudo_header_and_segment(frame)));
}
inline void fix_icmp_checksum(Bytes& frame) {
  const size_t l4 = kIpAt + ip_header_length(frame);
  store_checksum(frame, l4 + 2, 0);
  store_checksum(frame, l4 + 2, reference_checksum(std::span(frame).subspan(l4)));
}

inline Bytes ip_frame(const Ip& ip, const Bytes& l4) {
  Bytes frame = ethernet_header(ip.to, ip.from, 0x0800);
  const size_t header = sizeof(net::Ipv4Header) + ip.options.size();
  frame.push_back(static_cast<uint8_t>(0x40 | header / 4));
  frame.push_back(0);
  put16(frame, static_cast<uint16_t>(header + l4.size()));
  put16(frame, 0x1234);
  put16(frame, ip.fragment);
  frame.push_back(ip.ttl);
  frame.push_back(ip.protocol);
  put16(frame, 0);
  put32(frame, ip.source.host());
  put32(frame, ip.destination.host());
  frame = frame + ip.options + l4;
  fix_ip_checksum(frame);
  return frame;
}

struct Tcp {
  net::Ipv4Endpoint from = endpoint(ip4(10, 1, 0, 1), 40000);
  net::Ipv4Endpoint to = endpoint(ip4(10, 3, 0, 1), 80);
  uint8_t flags = net::tcp_flag::kAck;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint16_t window = 65535;
  Bytes options = {};  // padded with End of Option List to a multiple of four
  Bytes payload = {};
  Ip ip = {};  // addresses and protocol are taken from the rest
};

inline Bytes tcp_frame(const Tcp& tcp) {
  Bytes options = tcp.options;
  options.resize((options.size() + 3) / 4 * 4);
  Bytes l4;
  put16(l4, tcp.from.port.host());
  put16(l4, tcp.to.port.host());
  put32(l4, tcp.sequence);
  put32(l4, tcp.acknowledgement);
  l4.push_back(static_cast<uint8_t>((20 + options.size()) / 4 << 4));
  l4.push_back(tcp.flags);
  put16(l4, tcp.window);
  put32(l4, 0);
  Ip ip = tcp.ip;
  ip.source = tcp.from.ip;
  ip.destination = tcp.to.ip;
  Bytes frame = ip_frame(ip, l4 + options + tcp.payload);
  fix_tcp_checksum(frame);
  return frame;
}

struct Udp {
  net::Ipv4Endpoint from = endpoint(ip4(10, 1, 0, 1), 40000);
  net::Ipv4Endpoint to = endpoint(ip4(10, 3, 0, 1), 80);
  Bytes payload = {};
  bool has_checksum = true;
  Ip ip = {};  // addresses and protocol are taken from the rest
};

inline constexpr size_t kUdpChecksumAt = kTcpAt + 6;

/// RFC 768: a checksum that is zero is sent as all ones.
inline void fix_udp_checksum(Bytes& frame) {
  const size_t at = kIpAt + ip_header_length(frame) + 6;
  store_checksum(frame, at, 0);
  const uint16_t checksum = reference_checksum(pseudo_header_and_segment(frame));
  store_checksum(frame, at, checksum == 0 ? uint16_t{0xffff} : checksum);
}

inline Bytes udp_frame(const Udp& udp) {
  Bytes l4;
  put16(l4, udp.from.port.host());
  put16(l4, udp.to.port.host());
  put16(l4, static_cast<uint16_t>(sizeof(net::UdpHeader) + udp.payload.size()));
  put16(l4, 0);
  Ip ip = udp.ip;
  ip.source = udp.from.ip;
  ip.destination = udp.to.ip;
  ip.protocol = net::kProtocolUdp;
  Bytes frame = ip_frame(ip, l4 + udp.payload);
  if (udp.has_checksum) fix_udp_checksum(frame);
  return frame;
}

inline Bytes icmp_frame(Ip ip, uint8_t type, uint8_t code, uint32_t rest, const Bytes& data) {
  ip.protocol = net::kProtocolIcmp;
  Bytes l4 = {type, code, 0, 0};
  put32(l4, rest);
  Bytes frame = ip_frame(ip, l4 + data);
  fix_icmp_checksum(frame);
  return frame;
}

struct Arp {
  uint16_t operation = 1;
  net::MacAddress sender_mac = mac(99);
  net::Ipv4Address sender_ip = ip4(10, 1, 0, 1);
  net::MacAddress target_mac = {};
  net::Ipv4Address target_ip = ip4(10, 3, 0, 1);
  net::MacAddress to = net::kBroadcastMac;
};

inline Bytes arp_frame(const Arp& arp) {
  Bytes frame = ethernet_header(arp.to, arp.sender_mac, 0x0806);
  put16(frame, 1);
  put16(frame, 0x0800);
  put16(frame, 0x0604);
  put16(frame, arp.operation);
  frame.insert(frame.end(), arp.sender_mac.bytes.begin(), arp.sender_mac.bytes.end());
  put32(frame, arp.sender_ip.host());
  frame.insert(frame.end(), arp.target_mac.bytes.begin(), arp.target_mac.bytes.end());
  put32(frame, arp.target_ip.host());
  return frame;
}

inline std::string name_of(net::DropReason reason) {
  return std::string(net::kDropReasonTexts[static_cast<size_t>(reason)].name);
}

}  // namespace sluice::test
