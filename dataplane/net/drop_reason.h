// SPDX-License-Identifier: BSD-3-Clause
// The one list of reasons for which a packet is not forwarded: one reason, one counter, one
// documented line.
//
// Parsers and stages return a Verdict; whoever frees the packet counts it. docs/counters.md repeats
// this list and a test holds the two together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::net {

// X(name, help). Order is the path of a packet: frame, IP, TCP or UDP, flow, way out.
#define SLUICE_DROP_REASONS(X)                                                                    \
  X(frame_truncated, "the frame ends before its headers do")                                      \
  X(frame_segmented, "the frame spans several buffers and does not fit into one")                 \
  X(vlan_unknown, "a frame of a VLAN that no interface of its device is in")                      \
  X(mac_not_ours, "the frame was sent to another station")                                        \
  X(ethertype_unknown, "neither IPv4 nor IPv6 nor ARP")                                           \
  X(arp_bad, "ARP that is malformed, not about IPv4, or from an impossible sender")               \
  X(ipv4_header_bad, "IPv4 version, header length or total length is impossible")                 \
  X(ipv4_checksum_bad, "IPv4 header checksum is wrong")                                           \
  X(ipv4_source_bad, "IPv4 source is zero, multicast, broadcast, loopback or one of our own")     \
  X(ipv4_source_broadcast, "IPv4 source is the broadcast or network address of a link's network") \
  X(ipv4_source_misplaced, "IPv4 source is a backend's, whose way is another interface")          \
  X(ipv4_source_routed, "IPv4 whose options send it on to somewhere else first")                  \
  X(ipv4_fragment, "IPv4 fragment, where none are put together (fragments_per_worker = 0)")       \
  X(ipv4_ttl_expired, "TTL would reach zero here")                                                \
  X(ipv4_not_for_us, "none of our addresses on that interface, and not forwarded")                \
  X(ipv6_header_bad, "IPv6 version is wrong")                                                     \
  X(ipv6_source_bad, "IPv6 source is ::, ::1, multicast, IPv4-mapped or one of our own")          \
  X(ipv6_source_misplaced, "IPv6 source is a backend's, whose way is another interface")          \
  X(ipv6_extension_bad, "IPv6 extension headers: malformed, too many, or with segments left")     \
  X(ipv6_fragment, "IPv6 fragment, where none are put together (fragments_per_worker = 0)")       \
  X(ipv6_hop_limit_expired, "hop limit would reach zero here")                                    \
  X(ipv6_not_for_us, "none of our IPv6 addresses on that interface, and not forwarded")           \
  X(fragment_bad, "fragment whose length, place or protocol does not fit its datagram")           \
  X(fragment_tiny, "fragment that ends, or begins, within the transport header")                  \
  X(fragment_overlap, "fragment that overlaps another: its whole datagram is lost (RFC 5722)")    \
  X(fragment_duplicate, "fragment in the place of one that waits already")                        \
  X(fragments_too_many, "fragment of a datagram in more than eight pieces")                       \
  X(fragment_timeout, "fragment that waited a second for the others of its datagram")             \
  X(fragment_evicted, "fragment that made way: more wait than fragments_per_worker")              \
  X(fragments_limited, "fragment beyond those that a worker takes in a millisecond")              \
  X(protocol_unknown, "neither TCP nor UDP nor ICMP")                                             \
  X(tcp_header_bad, "TCP header length or port is impossible")                                    \
  X(tcp_flags_bad, "TCP flags that no connection uses (none, or two of SYN, FIN and RST)")        \
  X(tcp_checksum_bad, "TCP checksum of a segment that opens, answers, closes or resets is wrong") \
  X(udp_header_bad, "UDP length or port is impossible")                                           \
  X(udp_checksum_bad, "UDP checksum of a datagram that opens a flow, or ends it, is wrong")       \
  X(icmp_bad, "ICMP that is malformed or whose checksum is wrong")                                \
  X(icmp_unknown, "ICMP that is neither an echo request nor an error about a flow")               \
  X(icmp_echo_off, "echo request to a VIP whose services have icmp_echo = false")                 \
  X(nd_bad, "ND or MLD that RFC 4861 or 3810 calls invalid, or from an impossible sender")        \
  X(no_service, "to one of our addresses where no service listens (answered with RST or ICMP)")   \
  X(no_flow_inbound, "TCP from a client without SYN and without a flow (answered with RST)")      \
  X(no_flow_outbound, "from a backend, without a flow (TCP is answered with RST)")                \
  X(no_flow_icmp, "ICMP error about a flow that is not ours")                                     \
  X(icmp_out_of_window, "ICMP error that quotes a sequence number that is not in flight")         \
  X(icmp_own_segment, "ICMP error about a segment of Sluice's own: a PROXY header")               \
  X(icmp_untranslatable, "ICMP error about a flow that the other side's family does not have")    \
  X(source_denied, "a new flow from a source that a deny list has")                               \
  X(source_not_allowed, "a new flow from a source that an allow list has not")                    \
  X(service_full, "a new flow beyond its service's max_connections")                              \
  X(service_rate, "a new flow beyond its service's max_new_per_second")                           \
  X(client_full, "a new flow beyond its client's client_connections")                             \
  X(client_rate, "a new flow beyond its client's client_new_per_second")                          \
  X(backends_full, "a new flow, and every backend that may take one has max_connections")         \
  X(draining, "a new flow while the whole balancer drains")                                       \
  X(no_backend, "a new flow for a service without a usable backend")                              \
  X(ports_exhausted, "a new flow, and no local port towards the backend may be used now")         \
  X(flow_table_full, "a new flow, and the flow table is full")                                    \
  X(syn_deferred, "SYN in a flood of unfinished handshakes: let in when its client repeats it")   \
  X(udp_deferred, "UDP in a flood of unanswered flows: let in when its client sends again")       \
  X(rst_out_of_window, "RST whose sequence fits no window of its flow")                           \
  X(stale_answer, "backend's segment that belongs to an older connection of the tuple")           \
  X(heal_exhausted, "stale answer, and every attempt to heal the connection was used up")         \
  X(segment_unexpected, "segment that has no place in a handshake")                               \
  X(kernel_queue_full, "for the host's kernel, and more than its share of packets waits already") \
  X(no_route, "no interface prefix and no route holds the next hop")                              \
  X(forward_no_route, "to be forwarded for others, and no network or route holds its address")    \
  X(neighbour_table_full, "no room to remember another next hop")                                 \
  X(neighbour_queue_full, "too many packets wait for the same next hop's MAC")                    \
  X(neighbour_evicted, "waited for the MAC of a next hop that made way for others")               \
  X(neighbour_asks_limited, "too many unknown next hops to ask for in this second")               \
  X(mtu_exceeded, "larger than the MTU of its way out, and not to be fragmented")                 \
  X(neighbour_unreachable, "the next hop answered neither ARP nor neighbour discovery")           \
  X(handoff_full, "the ring to the worker that the packet belongs to is full")                    \
  X(tx_full, "the port's transmit queue took no more")                                            \
  X(port_absent, "the way out is a device that is gone, or being reset")                          \
  X(mbuf_exhausted, "no buffer for a packet of our own")

enum class DropReason : uint8_t {
#define X(name, help) name,
  SLUICE_DROP_REASONS(X)
#undef X
};

inline constexpr size_t kDropReasonCount = 0
#define X(name, help) +1
    SLUICE_DROP_REASONS(X)
#undef X
    ;

/// Those of a guard (stage/guard.h) stand together.
inline constexpr DropReason kFirstGuardReason = DropReason::source_denied;
inline constexpr size_t kGuardReasonCount =
    static_cast<size_t>(DropReason::backends_full) - static_cast<size_t>(kFirstGuardReason) + 1;

struct CounterText {
  std::string_view name;
  std::string_view help;
};

inline constexpr CounterText kDropReasonTexts[kDropReasonCount] = {
#define X(name, help) {#name, help},
    SLUICE_DROP_REASONS(X)
#undef X
};

}  // namespace sluice::net
