// SPDX-License-Identifier: BSD-3-Clause
// TCP segments of our own.
#include "dataplane/net/segment.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/ipv6.h"
#include "dataplane/net/packet_checksum.h"
#include "dataplane/net/xlat.h"

namespace sluice::net {

namespace {

constexpr uint8_t kResetTtl = 64;
constexpr uint8_t kDataOffset = sizeof(TcpHeader) / 4 << 4;

void write_reset4(std::span<uint8_t> frame, const ResetFields& fields) {
  const Ipv4Endpoint source = fields.source.v4(), destination = fields.destination.v4();
  constexpr uint8_t kVersionIhl = 0x45;
  constexpr be16 kTotalLength = be16::from_host(sizeof(Ipv4Header) + sizeof(TcpHeader));
  constexpr be16 kDontFragment = be16::from_host(0x4000);
  const uint8_t ack = fields.has_acknowledgement ? tcp_flag::kAck : 0;
  const auto flags = static_cast<uint8_t>(tcp_flag::kRst | ack);
  const be32 sequence = be32::from_host(fields.sequence);
  const be32 acknowledgement =
      be32::from_host(fields.has_acknowledgement ? fields.acknowledgement : 0);

  // Summed from here: read back from the frame, each word would wait for its parts to be written.
  constexpr uint64_t kIpFixed = be16::from_host(kVersionIhl << 8).raw + kTotalLength.raw +
                                kDontFragment.raw +
                                be16::from_host(kResetTtl << 8 | kProtocolTcp).raw;
  constexpr uint64_t kTcpFixed =
      be16::from_host(kProtocolTcp).raw + be16::from_host(sizeof(TcpHeader)).raw;
  const uint64_t addresses = uint64_t{source.ip.raw} + destination.ip.raw;
  const uint64_t tcp_sum = kTcpFixed + addresses + source.port.raw + destination.port.raw +
                           sequence.raw + acknowledgement.raw +
                           be16::from_host(static_cast<uint16_t>(kDataOffset << 8 | flags)).raw;

  auto& ip = *reinterpret_cast<Ipv4Header*>(frame.data() + sizeof(EthernetHeader));
  auto& tcp = *reinterpret_cast<TcpHeader*>(&ip + 1);
  ip = {
      kVersionIhl,   0,
      kTotalLength,  {0},
      kDontFragment, kResetTtl,
      kProtocolTcp,  checksum_of(kIpFixed + addresses),
      source.ip,     destination.ip,
  };
  tcp = {
      source.port, destination.port,     sequence, acknowledgement, kDataOffset, flags,
      {0},         checksum_of(tcp_sum), {0},
  };
}

void write_reset6(std::span<uint8_t> frame, const ResetFields& fields) {
  const Ipv6Address source = fields.source.ip.v6(), destination = fields.destination.ip.v6();
  auto& ip = *reinterpret_cast<Ipv6Header*>(frame.data() + sizeof(EthernetHeader));
  auto& tcp = *reinterpret_cast<TcpHeader*>(&ip + 1);
  ip = make_ipv6_header(kProtocolTcp, sizeof tcp, kResetTtl, source, destination);
  const uint8_t ack = fields.has_acknowledgement ? tcp_flag::kAck : 0;
  tcp = {fields.source.port,
         fields.destination.port,
         be32::from_host(fields.sequence),
         be32::from_host(fields.has_acknowledgement ? fields.acknowledgement : 0),
         kDataOffset,
         static_cast<uint8_t>(tcp_flag::kRst | ack),
         {0},
         {0},
         {0}};
  tcp.checksum = checksum_of(pseudo_header_sum(source, destination, kProtocolTcp, sizeof tcp) +
                             checksum_sum(&tcp, sizeof tcp));
}

}  // namespace

void write_reset(std::span<uint8_t> frame, const ResetFields& fields) {
  return fields.source.ip.is_v4() ? write_reset4(frame, fields) : write_reset6(frame, fields);
}

uint16_t segment_frame_length(const SegmentFields& fields) {
  return static_cast<uint16_t>(reset_frame_length(fields.source.ip) + fields.options.size() +
                               fields.payload.size());
}

void write_segment(std::span<uint8_t> frame, const SegmentFields& fields) {
  const size_t header = sizeof(TcpHeader) + fields.options.size();
  const auto l4_length = static_cast<uint16_t>(header + fields.payload.size());
  uint8_t* const network = frame.data() + sizeof(EthernetHeader);
  size_t network_length = sizeof(Ipv6Header);
  if (fields.source.ip.is_v4()) {
    network_length = sizeof(Ipv4Header);
    const auto total = static_cast<uint16_t>(network_length + l4_length);
    const Ipv4Header ip =
        make_ipv4_header(kProtocolTcp, total, kResetTtl, fields.source.ip.v4(),
                         fields.destination.ip.v4(), 0, {0}, be16::from_host(0x4000));
    std::memcpy(network, &ip, sizeof ip);
  } else {
    const Ipv6Header ip = make_ipv6_header(kProtocolTcp, l4_length, kResetTtl,
                                           fields.source.ip.v6(), fields.destination.ip.v6());
    std::memcpy(network, &ip, sizeof ip);
  }
  auto& tcp = *reinterpret_cast<TcpHeader*>(network + network_length);
  tcp = {fields.source.port,
         fields.destination.port,
         be32::from_host(fields.sequence),
         be32::from_host(fields.acknowledgement),
         static_cast<uint8_t>(header / 4 << 4),
         fields.flags,
         be16::from_host(fields.window),
         {0},
         {0}};
  auto* behind = reinterpret_cast<uint8_t*>(&tcp + 1);
  std::ranges::copy(fields.options, behind);
  std::ranges::copy(fields.payload, behind + fields.options.size());
  const Packet packet = view_own_segment(frame.data());
  tcp.checksum = checksum_of(pseudo_header_sum(packet, kProtocolTcp, l4_length) +
                             checksum_sum(&tcp, l4_length));
}

ResetFields reset_answer(const Packet& packet) {
  const TcpHeader& tcp = *packet.tcp;
  ResetFields fields{{packet.destination_ip(), tcp.destination_port},
                     {packet.source_ip(), tcp.source_port},
                     0,
                     packet.sequence_end(),
                     true};
  if (tcp.has(tcp_flag::kAck)) {
    fields.sequence = tcp.acknowledgement.host();
    fields.has_acknowledgement = false;
  }
  return fields;
}

void finish_own_segment(uint8_t* frame, uint16_t ip_length) {
  auto& ip = *reinterpret_cast<Ipv4Header*>(frame + sizeof(EthernetHeader));
  if (ip.version_ihl >> 4 == 4) {
    ip.total_length = be16::from_host(ip_length);
    ip.checksum = {0};
    ip.checksum = checksum_of(checksum_sum(&ip, ip.header_length()));
  } else {
    auto& ip6 = *reinterpret_cast<Ipv6Header*>(&ip);
    ip6.payload_length = be16::from_host(static_cast<uint16_t>(ip_length - sizeof ip6));
  }
  Packet packet = view_own_segment(frame);
  TcpHeader& tcp = *packet.tcp;
  tcp.checksum = {0};
  tcp.checksum = checksum_of(pseudo_header_sum(packet, kProtocolTcp, packet.l4_length) +
                             checksum_sum(&tcp, packet.l4_length));
}

Packet view_own_segment(uint8_t* frame) {
  Packet packet{};
  packet.kind = Packet::Kind::kTcp;
  packet.ethernet = reinterpret_cast<EthernetHeader*>(frame);
  packet.ip = reinterpret_cast<Ipv4Header*>(frame + sizeof(EthernetHeader));
  packet.is_v6 = packet.ip->version_ihl >> 4 == 6;
  const uint16_t header = packet.is_v6 ? sizeof(Ipv6Header) : packet.ip->header_length();
  packet.tcp = reinterpret_cast<TcpHeader*>(reinterpret_cast<uint8_t*>(packet.ip) + header);
  packet.l4_length = static_cast<uint16_t>(packet.ip_length() - header);
  return packet;
}

}  // namespace sluice::net
