// SPDX-License-Identifier: BSD-3-Clause
// Frame templates.
#include "tests/bench/frames.h"

namespace sluice::bench {

using net::be16;
using net::be32;

namespace {

constexpr size_t kIpAt = sizeof(net::EthernetHeader);
constexpr size_t kTcpAt = kIpAt + sizeof(net::Ipv4Header);
constexpr size_t kOptionsAt = kTcpAt + sizeof(net::TcpHeader);
constexpr uint16_t kPayload = 6;
constexpr uint32_t kNopNopTimestamps = 0x0101080a;

void put(uint8_t* at, uint32_t value) {
  const be32 word = be32::from_host(value);
  std::memcpy(at, &word, sizeof word);
}

}  // namespace

FrameTemplate::FrameTemplate(uint8_t flags, bool timestamps, Numbers numbers)
    : timestamps_(timestamps) {
  const bool carries_data = (flags & net::tcp_flag::kPsh) != 0;
  const auto tcp_length = static_cast<uint16_t>(sizeof(net::TcpHeader) + (timestamps ? 12 : 0) +
                                                (carries_data ? kPayload : 0));
  length_ = static_cast<uint16_t>(kTcpAt + tcp_length);
  auto& ethernet = *reinterpret_cast<net::EthernetHeader*>(bytes_);
  auto& ip = *reinterpret_cast<net::Ipv4Header*>(bytes_ + kIpAt);
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(bytes_ + kTcpAt);
  ethernet = {kOurMac, kPeerMac, net::kEtherTypeIpv4};
  const auto total = static_cast<uint16_t>(sizeof(net::Ipv4Header) + tcp_length);
  ip = {0x45, 0, be16::from_host(total), {0}, {0}, 64, net::kProtocolTcp, {0}, {0}, {0}};
  tcp.data_offset = timestamps ? 0x80 : 0x50;
  tcp.flags = flags;
  tcp.window = be16::from_host(65000);
  tcp.sequence = be32::from_host(numbers.sequence);
  tcp.acknowledgement = be32::from_host(numbers.acknowledgement);
  if (timestamps) {
    put(bytes_ + kOptionsAt, kNopNopTimestamps);
    put(bytes_ + kOptionsAt + 4, numbers.tsval);
    put(bytes_ + kOptionsAt + 8, numbers.tsecr);
  }
  if (length_ < 60) length_ = 60;  // what Ethernet pads a short frame to
}

FrameTemplate::Prepared FrameTemplate::prepare(const Tuple& tuple) const {
  uint8_t bytes[kRoom];
  std::memcpy(bytes, bytes_, kRoom);
  auto& ip = *reinterpret_cast<net::Ipv4Header*>(bytes + kIpAt);
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(bytes + kTcpAt);
  ip.source = tuple.source.ip;
  ip.destination = tuple.destination.ip;
  tcp.source_port = tuple.source.port;
  tcp.destination_port = tuple.destination.port;
  const auto tcp_length = static_cast<uint16_t>(ip.total_length.host() - sizeof ip);
  return {tuple, net::checksum_of(net::checksum_sum(&ip, sizeof ip)),
          net::checksum_of(net::pseudo_header_sum(ip, tcp_length) +
                           net::checksum_sum(&tcp, tcp_length))};
}

void FrameTemplate::write(rte_mbuf* buffer, const Tuple& tuple, const Numbers& numbers) const {
  uint8_t* to = rte_pktmbuf_mtod(buffer, uint8_t*);
  std::memcpy(to, bytes_, kRoom);
  auto& ip = *reinterpret_cast<net::Ipv4Header*>(to + kIpAt);
  auto& tcp = *reinterpret_cast<net::TcpHeader*>(to + kTcpAt);
  ip.source = tuple.source.ip;
  ip.destination = tuple.destination.ip;
  ip.checksum = net::checksum_of(net::checksum_sum(&ip, sizeof ip));
  tcp.source_port = tuple.source.port;
  tcp.destination_port = tuple.destination.port;
  tcp.sequence = be32::from_host(numbers.sequence);
  tcp.acknowledgement = be32::from_host(numbers.acknowledgement);
  if (timestamps_) {
    put(to + kOptionsAt + 4, numbers.tsval);
    put(to + kOptionsAt + 8, numbers.tsecr);
  }
  const auto tcp_length = static_cast<uint16_t>(ip.total_length.host() - sizeof ip);
  tcp.checksum = net::checksum_of(net::pseudo_header_sum(ip, tcp_length) +
                                  net::checksum_sum(&tcp, tcp_length));
  buffer->data_len = length_;
  buffer->pkt_len = length_;
}

}  // namespace sluice::bench
