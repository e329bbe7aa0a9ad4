// SPDX-License-Identifier: BSD-3-Clause
// ARP frames (RFC 826): answers, requests, announcements (RFC 5227, section 3).
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/headers.h"

namespace sluice::net {

inline constexpr uint16_t kArpFrameLength = sizeof(EthernetHeader) + sizeof(ArpHeader);

/// Turns a request into its answer in place: `our_mac` has the address that was asked for.
void arp_answer(EthernetHeader& ethernet, ArpHeader& arp, MacAddress our_mac);

/// Writes a request into `frame` (kArpFrameLength bytes). A broadcast, or a unicast probe when the
/// old MAC is known. For an announcement, target_ip == sender_ip.
void arp_request(std::span<uint8_t> frame, MacAddress our_mac, Ipv4Address sender_ip,
                 Ipv4Address target_ip, MacAddress to = kBroadcastMac);

}  // namespace sluice::net
