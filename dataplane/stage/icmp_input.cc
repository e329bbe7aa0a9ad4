// SPDX-License-Identifier: BSD-3-Clause
// ICMP.
#include "dataplane/stage/icmp_input.h"

#include "dataplane/net/fragment.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/fragments.h"
#include "dataplane/stage/icmp_flow_error.h"
#include "dataplane/stage/source_check.h"
#include "dataplane/stage/unmatched.h"

namespace sluice {

using net::DropReason;
using net::Ipv4Address;
using net::Ipv6Address;
using net::Verdict;

namespace {

bool is_error(const net::Packet& packet) {
  return packet.is_v6 ? net::icmpv6_is_error(packet.icmp->type) : net::icmp_is_error(*packet.icmp);
}

bool is_echo_request(const net::Packet& packet) {
  return packet.icmp->type ==
         (packet.is_v6 ? net::icmpv6_type::kEchoRequest : net::icmp_type::kEchoRequest);
}

/// An answer has no extension headers of the question (RFC 8200, section 8.4).
void strip_extension_headers(Segment& segment) {
  net::Packet& packet = segment.packet;
  const auto extra = static_cast<uint16_t>(packet.ip_header_length() - sizeof(net::Ipv6Header));
  if (extra == 0) return;
  net::Ipv6Header ip = *packet.ip6;
  ip.next_header = net::kProtocolIcmpv6;
  ip.payload_length = net::be16::from_host(packet.l4_length);
  auto* front = reinterpret_cast<uint8_t*>(rte_pktmbuf_adj(segment.buffer, extra));
  packet.ethernet = reinterpret_cast<net::EthernetHeader*>(front);
  packet.ip6 = reinterpret_cast<net::Ipv6Header*>(packet.ethernet + 1);
  *packet.ip6 = ip;
}

/// An answer as large as a question that came in fragments.
Verdict send_large_answer(Core& core, Segment& segment, uint16_t mtu, NextHop& hop) {
  const net::Packet& packet = segment.packet;
  const bool may = packet.is_v6 || net::may_fragment(*packet.ip);
  return may ? send_fragments(core, segment, mtu, hop) : DropReason::mtu_exceeded;
}

Verdict send_answer(Core& core, Segment& segment, Ipv4Address) {
  net::icmp_echo_answer(segment.packet);
  NextHop hop;
  const Verdict verdict = core.next_hops.try_send(*core.snapshot, segment.buffer,
                                                  segment.packet.ip->destination, hop, core.now_ms);
  if (verdict != DropReason::mtu_exceeded) return verdict;
  return send_large_answer(core, segment, core.next_hops.mtu(*core.snapshot, hop), hop);
}

Verdict send_answer(Core& core, Segment& segment, const Ipv6Address&) {
  strip_extension_headers(segment);
  net::icmpv6_echo_answer(*segment.packet.ip6, *segment.packet.icmp);
  NextHop hop;
  const Verdict verdict = core.next_hops6.try_send(
      *core.snapshot, segment.buffer, segment.packet.ip6->destination, hop, core.now_ms);
  if (verdict != DropReason::mtu_exceeded) return verdict;
  return send_large_answer(core, segment, core.next_hops6.mtu(*core.snapshot, hop), hop);
}

bool is_nobody(Ipv4Address) {
  return false;  // parse() has looked
}
bool is_nobody(const Ipv6Address& source) {
  return net::is_unspecified(source);
}

template <class Address>
Verdict echo_input(Core& core, Segment& segment, const Address& source,
                   const Address& destination) {
  if (is_nobody(source)) return DropReason::ipv6_source_bad;
  if (core.snapshot->of<Address>().is_echo_silent(destination)) return DropReason::icmp_echo_off;
  core.count(Event::echo_requests_answered);
  return send_answer(core, segment, destination);
}

/// The source and destination are the packet's.
template <class Address>
Verdict message_input(Core& core, Segment& segment, uint16_t interface, const Address& source,
                      const Address& destination) {
  const bool kernels = is_kernels(core, destination, interface);
  if (!kernels && !core.snapshot->is_own(destination, interface)) {
    return unmatched_input(core, segment, interface);
  }
  const Verdict possible = check_source(core, source, interface);
  if (!possible.passed()) return possible;
  if (!net::icmp_checksum_ok(segment.packet)) return DropReason::icmp_bad;
  if (is_error(segment.packet)) {
    const FlowErrorResult result = flow_error_input(core, segment, interface);
    if (result.is_flows || !kernels) return result.verdict;
  }
  if (kernels) return give_to_kernel(core, segment.buffer, interface);
  if (is_echo_request(segment.packet)) return echo_input(core, segment, source, destination);
  return DropReason::icmp_unknown;
}

}  // namespace

Verdict icmp_input(Core& core, Segment& segment, uint16_t interface) {
  const net::Packet& packet = segment.packet;
  if (packet.is_v6) {
    // Copies: the packet may become its own answer.
    const Ipv6Address source = packet.ip6->source, destination = packet.ip6->destination;
    return message_input<Ipv6Address>(core, segment, interface, source, destination);
  }
  const Ipv4Address source = packet.ip->source, destination = packet.ip->destination;
  return message_input<Ipv4Address>(core, segment, interface, source, destination);
}

}  // namespace sluice
