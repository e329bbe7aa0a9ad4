// SPDX-License-Identifier: BSD-3-Clause
// Whose is it, and who reads it?
#include "dataplane/stage/unread_input.h"

#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/fragment_input.h"
#include "dataplane/stage/unmatched.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// parse() has read the frame up to where this reason was found.
bool is_unread(DropReason reason) {
  return reason == DropReason::protocol_unknown || reason == DropReason::ipv4_fragment ||
         reason == DropReason::ipv6_fragment || reason == DropReason::ethertype_unknown;
}

bool is_fragment(DropReason reason) {
  return reason == DropReason::ipv4_fragment || reason == DropReason::ipv6_fragment;
}

/// UDP to a broadcast or multicast MAC (DHCP, mDNS): none of it is a flow's.
bool is_group_udp(const net::Packet& packet) {
  if (packet.reason != DropReason::mac_not_ours || !packet.ethernet->destination.is_multicast()) {
    return false;
  }
  if (packet.ethernet->type == net::kEtherTypeIpv6) {
    return packet.ip6->next_header == net::kProtocolUdp;
  }
  return packet.ethernet->type == net::kEtherTypeIpv4 && packet.ip->protocol == net::kProtocolUdp;
}

/// Whether parse() found the network header right, whatever it says of the rest.
bool has_network_header(const net::Packet& packet) {
  if (packet.kind != net::Packet::Kind::kBad) return packet.kind != net::Packet::Kind::kArp;
  switch (packet.reason) {
    case DropReason::ipv4_fragment:
    case DropReason::ipv6_fragment:
    case DropReason::ipv6_extension_bad:
    case DropReason::protocol_unknown:
    case DropReason::tcp_header_bad:
    case DropReason::tcp_flags_bad:
    case DropReason::udp_header_bad:
    case DropReason::udp_checksum_bad:
    case DropReason::icmp_bad:
      return true;
    default:
      return false;
  }
}

/// What has a network header, to one station, and something behind it that parse() does not read.
Verdict of_whom_unread(Core& core, Segment& segment, uint16_t interface) {
  const net::Packet& packet = segment.packet;
  if (packet.ethernet->destination != core.snapshot->interfaces[interface].mac) {
    return DropReason::mac_not_ours;
  }
  const net::IpAddress destination = packet.destination_ip();
  const bool unread = is_unread(packet.reason);
  // The kernel puts fragments together itself.
  if (is_kernels(core, destination, interface)) {
    return unread ? give_to_kernel(core, segment.buffer, interface) : Verdict(packet.reason);
  }
  if (!core.snapshot->is_own(destination, interface)) {
    const bool dropped = core.snapshot->interfaces[interface].unmatched == Unmatched::kDrop;
    return dropped && !is_fragment(packet.reason) ? Verdict(packet.reason)
                                                  : unmatched_input(core, segment, interface);
  }
  return is_fragment(packet.reason) ? fragment_input(core, segment, interface)
                                    : Verdict(packet.reason);
}

}  // namespace

Verdict unread_input(Core& core, Segment& segment, uint16_t interface) {
  const net::Packet& packet = segment.packet;
  const DropReason reason = packet.reason;
  const KernelRings* kernel = core.kernel_rings[interface];
  if (has_network_header(packet) && !packet.ethernet->destination.is_multicast()) {
    return of_whom_unread(core, segment, interface);
  }
  if (kernel == nullptr || (!is_unread(reason) && !is_group_udp(packet))) return reason;
  const auto* ethernet = rte_pktmbuf_mtod(segment.buffer, const net::EthernetHeader*);
  if (!ethernet->destination.is_multicast() &&
      ethernet->destination != core.snapshot->interfaces[interface].mac) {
    return DropReason::mac_not_ours;
  }
  return give_to_kernel(core, segment.buffer, interface);
}

}  // namespace sluice
