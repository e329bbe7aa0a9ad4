// SPDX-License-Identifier: BSD-3-Clause
// TCP segments of our own.
#include "dataplane/net/segment.h"

#include "dataplane/net/checksum.h"

namespace sluice::net {

void write_reset(std::span<uint8_t> frame, const ResetFields& fields) {
  auto& ip = *reinterpret_cast<Ipv4Header*>(frame.data() + sizeof(EthernetHeader));
  auto& tcp = *reinterpret_cast<TcpHeader*>(&ip + 1);
  constexpr uint8_t kOurTtl = 64;
  const be16 dont_fragment = be16::from_host(0x4000);
  ip = {0x45,
        0,
        be16::from_host(sizeof(Ipv4Header) + sizeof(TcpHeader)),
        {0},
        dont_fragment,
        kOurTtl,
        kProtocolTcp,
        {0},
        fields.source.ip,
        fields.destination.ip};
  ip.checksum = checksum_of(checksum_sum(&ip, sizeof ip));
  const uint8_t ack = fields.has_acknowledgement ? tcp_flag::kAck : 0;
  tcp = {fields.source.port,
         fields.destination.port,
         be32::from_host(fields.sequence),
         be32::from_host(fields.has_acknowledgement ? fields.acknowledgement : 0),
         sizeof(TcpHeader) / 4 << 4,
         static_cast<uint8_t>(tcp_flag::kRst | ack),
         {0},
         {0},
         {0}};
  tcp.checksum = checksum_of(pseudo_header_sum(ip, sizeof tcp) + checksum_sum(&tcp, sizeof tcp));
}

ResetFields reset_answer(const Packet& packet) {
  const TcpHeader& tcp = *packet.tcp;
  ResetFields fields{{packet.ip->destination, tcp.destination_port},
                     {packet.ip->source, tcp.source_port},
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
  ip.total_length = be16::from_host(ip_length);
  ip.checksum = {0};
  ip.checksum = checksum_of(checksum_sum(&ip, ip.header_length()));
  Packet packet = view_own_segment(frame);
  TcpHeader& tcp = *packet.tcp;
  tcp.checksum = {0};
  tcp.checksum =
      checksum_of(pseudo_header_sum(ip, packet.l4_length) + checksum_sum(&tcp, packet.l4_length));
}

Packet view_own_segment(uint8_t* frame) {
  Packet packet{};
  packet.kind = Packet::Kind::kTcp;
  packet.ethernet = reinterpret_cast<EthernetHeader*>(frame);
  packet.ip = reinterpret_cast<Ipv4Header*>(frame + sizeof(EthernetHeader));
  const uint16_t header = packet.ip->header_length();
  packet.tcp = reinterpret_cast<TcpHeader*>(reinterpret_cast<uint8_t*>(packet.ip) + header);
  packet.l4_length = static_cast<uint16_t>(packet.ip->total_length.host() - header);
  return packet;
}

}  // namespace sluice::net
