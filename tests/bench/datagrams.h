// SPDX-License-Identifier: BSD-3-Clause
// UDP frames for the benches, as frames.h has TCP's: 64 bytes on the wire, 18 of them payload.
#pragma once

#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/net/checksum.h"
#include "tests/bench/frames.h"

namespace sluice::bench {

class DatagramTemplate {
 public:
  DatagramTemplate() {
    using net::be16;
    auto& frame = *reinterpret_cast<Headers*>(bytes_);
    constexpr uint16_t kTotal = kLength - sizeof(net::EthernetHeader);
    frame.ethernet = {kOurMac, kPeerMac, net::kEtherTypeIpv4};
    frame.ip = {0x45, 0, be16::from_host(kTotal), {0}, {0}, 64, net::kProtocolUdp, {0}, {0}, {0}};
    frame.udp.length = be16::from_host(kTotal - sizeof(net::Ipv4Header));
  }

  /// A tuple with the checksums that it gives this template.
  struct Prepared {
    Tuple tuple;
    net::be16 ip_checksum;
    net::be16 udp_checksum;
  };
  Prepared prepare(const Tuple& tuple) const {
    alignas(8) uint8_t bytes[kRoom];
    std::memcpy(bytes, bytes_, kRoom);
    auto& frame = *reinterpret_cast<Headers*>(bytes);
    put(frame, {tuple, {0}, {0}});
    const uint16_t length = frame.udp.length.host();
    return {tuple, net::checksum_of(net::checksum_sum(&frame.ip, sizeof frame.ip)),
            net::checksum_of(net::pseudo_header_sum(frame.ip, length) +
                             net::checksum_sum(&frame.udp, length))};
  }

  void write(rte_mbuf* buffer, const Prepared& prepared) const {
    uint8_t* to = rte_pktmbuf_mtod(buffer, uint8_t*);
    std::memcpy(to, bytes_, kRoom);
    put(*reinterpret_cast<Headers*>(to), prepared);
    buffer->data_len = kLength;
    buffer->pkt_len = kLength;
  }

 private:
  struct Headers {
    net::EthernetHeader ethernet;
    net::Ipv4Header ip;
    net::UdpHeader udp;
  };
  static constexpr uint16_t kLength = 60;
  static constexpr uint16_t kRoom = 64;

  static void put(Headers& frame, const Prepared& prepared) {
    frame.ip.source = prepared.tuple.source.ip;
    frame.ip.destination = prepared.tuple.destination.ip;
    frame.ip.checksum = prepared.ip_checksum;
    frame.udp.source_port = prepared.tuple.source.port;
    frame.udp.destination_port = prepared.tuple.destination.port;
    frame.udp.checksum = prepared.udp_checksum;
  }

  alignas(8) uint8_t bytes_[kRoom] = {};
};

}  // namespace sluice::bench
