// SPDX-License-Identifier: BSD-3-Clause
// Writing a TOA option.
#include "dataplane/net/toa.h"

#include <algorithm>

#include "dataplane/net/checksum.h"

namespace sluice::net {
namespace {

void grow_network(Packet& packet, uint16_t length) {
  if (packet.is_v6) {
    be16& field = packet.ip6->payload_length;
    field = be16::from_host(static_cast<uint16_t>(field.host() + length));
    return;
  }
  Ipv4Header& ip = *packet.ip;
  const be16 before = ip.total_length;
  ip.total_length = be16::from_host(static_cast<uint16_t>(before.host() + length));
  ChecksumDelta delta;
  delta.replace(before, ip.total_length);
  ip.checksum = delta.applied_to(ip.checksum);
}

/// The word that the data offset is in.
be16 offset_word(const TcpHeader& tcp) {
  return be16::from_host(static_cast<uint16_t>(tcp.data_offset << 8 | tcp.flags));
}

}  // namespace

void put_toa(Packet& packet, const Endpoint& client) {
  const uint16_t length = toa_length(client.ip);
  TcpHeader& tcp = *packet.tcp;
  auto* const option = reinterpret_cast<uint8_t*>(&tcp + 1);
  option[0] = kToaKind;
  option[1] = static_cast<uint8_t>(length);
  option[2] = static_cast<uint8_t>(client.port.host() >> 8);
  option[3] = static_cast<uint8_t>(client.port.host());
  std::ranges::copy(client.ip.bytes(), option + 4);

  grow_network(packet, length);
  const be16 before = offset_word(tcp);
  tcp.data_offset = static_cast<uint8_t>(tcp.data_offset + (length / 4 << 4));
  packet.l4_length = static_cast<uint16_t>(packet.l4_length + length);
  ChecksumDelta delta;
  delta.replace(before, offset_word(tcp));
  delta.replace(be16{0}, be16::from_host(length));  // of the pseudo header
  const uint32_t sum = uint32_t{delta.folded()} + checksum_fold(checksum_sum(option, length));
  tcp.checksum = ChecksumDelta::apply(tcp.checksum, sum);
}

}  // namespace sluice::net
