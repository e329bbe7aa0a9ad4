// SPDX-License-Identifier: BSD-3-Clause
// ARP frames, built byte by byte.
#include "dataplane/net/arp.h"

namespace sluice::net {

void arp_answer(EthernetHeader& ethernet, ArpHeader& arp, MacAddress our_mac) {
  const Ipv4Address asked = arp.target_ip;
  ethernet.destination = arp.sender_mac;
  ethernet.source = our_mac;
  arp.operation = kArpReply;
  arp.target_mac = arp.sender_mac;
  arp.target_ip = arp.sender_ip;
  arp.sender_mac = our_mac;
  arp.sender_ip = asked;
}

void arp_request(std::span<uint8_t> frame, MacAddress our_mac, Ipv4Address sender_ip,
                 Ipv4Address target_ip, MacAddress to) {
  auto& ethernet = *reinterpret_cast<EthernetHeader*>(frame.data());
  auto& arp = *reinterpret_cast<ArpHeader*>(frame.data() + sizeof(EthernetHeader));
  ethernet = {to, our_mac, kEtherTypeArp};
  arp = {be16::from_host(1), kEtherTypeIpv4, 6,        4, kArpRequest, our_mac,
         sender_ip,          MacAddress{},   target_ip};
}

}  // namespace sluice::net
