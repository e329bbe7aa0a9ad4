// SPDX-License-Identifier: BSD-3-Clause
// Frame templates.
#include "tests/bench/frames.h"

#include "dataplane/net/ipv6.h"
#include "tests/families/families.h"

namespace sluice::bench {

using net::be16;
using net::be32;

namespace {

constexpr size_t kIpAt = sizeof(net::EthernetHeader);
constexpr uint16_t kPayload = 6;
constexpr uint32_t kNopNopTimestamps = 0x0101080a;

void put_number(uint8_t* at, uint32_t value) {
  const be32 word = be32::from_host(value);
  std::memcpy(at, &word, sizeof word);
}

net::Ipv4Header ipv4_header(uint16_t tcp_length) {
  const auto total = static_cast<uint16_t>(sizeof(net::Ipv4Header) + tcp_length);
  return {0x45, 0, be16::from_host(total), {0}, {0}, 64, net::kProtocolTcp, {0}, {0}, {0}};
}

net::Ipv6Header ipv6_header(uint16_t tcp_length) {
  net::Ipv6Header ip{};
  ip.version_class_flow = be32::from_host(0x60000000);
  ip.payload_length = be16::from_host(tcp_length);
  ip.next_header = net::kProtocolTcp;
  ip.hop_limit = 64;
  ip.source = ip.destination = test::v6_of({});
  return ip;
}

}  // namespace

FrameTemplate::FrameTemplate(uint8_t flags, bool timestamps, Numbers numbers, bool v6)
    : timestamps_(timestamps),
      v6_(v6),
      source_at_(v6 ? kIpAt + 20 : kIpAt + 12),
      destination_at_(v6 ? kIpAt + 36 : kIpAt + 16),
      ip_word_at_(v6 ? kIpAt + 4 : kIpAt + 10),
      tcp_at_(kIpAt + (v6 ? sizeof(net::Ipv6Header) : sizeof(net::Ipv4Header))) {
  const bool carries_data = (flags & net::tcp_flag::kPsh) != 0;
  tcp_length_ = static_cast<uint16_t>(sizeof(net::TcpHeader) + (timestamps ? 12 : 0) +
                                      (carries_data ? kPayload : 0));
  length_ = static_cast<uint16_t>(tcp_at_ + tcp_length_);
  put(bytes_,
      net::EthernetHeader{kOurMac, kPeerMac, v6 ? net::kEtherTypeIpv6 : net::kEtherTypeIpv4});
  if (v6) {
    put(bytes_ + kIpAt, ipv6_header(tcp_length_));
  } else {
    put(bytes_ + kIpAt, ipv4_header(tcp_length_));
  }
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(bytes_ + tcp_at_);
  tcp.data_offset = timestamps ? 0x80 : 0x50;
  tcp.flags = flags;
  tcp.window = be16::from_host(65000);
  tcp.sequence = be32::from_host(numbers.sequence);
  tcp.acknowledgement = be32::from_host(numbers.acknowledgement);
  if (timestamps) {
    uint8_t* const options = bytes_ + tcp_at_ + sizeof tcp;
    put_number(options, kNopNopTimestamps);
    put_number(options + 4, numbers.tsval);
    put_number(options + 8, numbers.tsecr);
  }
  if (length_ < 60) length_ = 60;  // what Ethernet pads a short frame to
}

void FrameTemplate::put_tuple(uint8_t* frame, const Tuple& tuple) const {
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(frame + tcp_at_);
  put(frame + source_at_, tuple.source.ip);
  put(frame + destination_at_, tuple.destination.ip);
  tcp.source_port = tuple.source.port;
  tcp.destination_port = tuple.destination.port;
}

be16 FrameTemplate::ip_word_of(const uint8_t* frame) const {
  if (v6_) return be16::from_host(tcp_length_);
  return net::checksum_of(net::checksum_sum(frame + kIpAt, sizeof(net::Ipv4Header)));
}

be16 FrameTemplate::tcp_checksum_of(const uint8_t* frame) const {
  const uint8_t* const ip = frame + kIpAt;
  const uint64_t segment = net::checksum_sum(frame + tcp_at_, tcp_length_);
  if (!v6_) {
    const auto& ip4 = *reinterpret_cast<const net::Ipv4Header*>(ip);
    return net::checksum_of(segment + net::pseudo_header_sum(ip4, tcp_length_));
  }
  const auto& ip6 = *reinterpret_cast<const net::Ipv6Header*>(ip);
  return net::checksum_of(segment + net::pseudo_header_sum(ip6.source, ip6.destination,
                                                           net::kProtocolTcp, tcp_length_));
}

FrameTemplate::Prepared FrameTemplate::prepare(const Tuple& tuple) const {
  alignas(8) uint8_t bytes[kRoom];
  std::memcpy(bytes, bytes_, kRoom);
  put_tuple(bytes, tuple);
  return {tuple, ip_word_of(bytes), tcp_checksum_of(bytes)};
}

void FrameTemplate::write(rte_mbuf* buffer, const Tuple& tuple, const Numbers& numbers) const {
  uint8_t* to = rte_pktmbuf_mtod(buffer, uint8_t*);
  std::memcpy(to, bytes_, kRoom);
  put_tuple(to, tuple);
  put(to + ip_word_at_, ip_word_of(to));
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(to + tcp_at_);
  tcp.sequence = be32::from_host(numbers.sequence);
  tcp.acknowledgement = be32::from_host(numbers.acknowledgement);
  if (timestamps_) {
    uint8_t* const options = to + tcp_at_ + sizeof tcp;
    put_number(options + 4, numbers.tsval);
    put_number(options + 8, numbers.tsecr);
  }
  tcp.checksum = tcp_checksum_of(to);
  buffer->data_len = length_;
  buffer->pkt_len = length_;
}

}  // namespace sluice::bench
