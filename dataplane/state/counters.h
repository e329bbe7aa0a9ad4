// SPDX-License-Identifier: BSD-3-Clause
// What a worker counts: drops by reason, events by name, traffic.
#pragma once

#include <array>

#include "dataplane/net/drop_reason.h"
#include "dataplane/state/counter.h"
#include "dataplane/state/flow_state.h"
#include "dataplane/state/histogram.h"

namespace sluice {

// X(name, help)
#define SLUICE_EVENTS(X)                                                                     \
  X(flows_opened, "flows begun by a client's SYN or first datagram")                         \
  X(flows_established, "handshakes completed, and UDP flows with a second exchange")         \
  X(flows_closed_available, "flows over with the tuple forgotten by the backend")            \
  X(flows_closed_time_wait, "flows over with the tuple left in the backend's TIME_WAIT")     \
  X(flows_timed_out, "flows ended after their state's idle time")                            \
  X(flows_replaced, "unfinished flows ended by a new SYN of the same client port")           \
  X(flows_reset, "flows ended (TCP with a RST to both ends) by order of an operator")        \
  X(flows_adopted, "flows that go on where the process before this one has left them")       \
  X(flows_not_adopted, "such flows that did not fit in, ended with a RST to both ends")      \
  X(flows_evicted, "flows that were over and gave their entry to a new one early")           \
  X(flows_restarted, "flows that a backend's SYN-ACK to a new SYN began anew")               \
  X(udp_evicted, "UDP flows with one exchange at most that made way for newer ones")         \
  X(udp_refused, "UDP flows ended by ICMP that calls their backend or its port unreachable") \
  X(half_open_evicted, "unfinished handshakes that made way for newer ones")                 \
  X(syns_retransmitted, "SYNs that clients sent again and that went the same way")           \
  X(syns_copied, "copies of a SYN, sooner than a client sends one again")                    \
  X(syns_passed, "SYNs on open flows, passed on for the backend to judge")                   \
  X(syns_not_kept, "SYNs that could not be kept for a later heal (store full)")              \
  X(backend_refusals, "SYNs that a backend, or a router on the way, refused: RST, ICMP")     \
  X(resets_to_clients, "RSTs of our own to clients")                                         \
  X(resets_to_backends, "RSTs of our own to backends")                                       \
  X(quic_ids_followed, "UDP flows opened to the backend that a QUIC connection ID names")    \
  X(heals_started, "stale answers met with a RST to the backend and the SYN sent again")     \
  X(heals_moved, "heals, and SYNs twice unanswered, that took another local port")           \
  X(heals_succeeded, "healed connections whose handshake was then completed by the backend") \
  X(proxy_headers_sent, "PROXY headers sent to backends, each once")                         \
  X(proxy_headers_resent, "times that one was sent again, for want of its acknowledgement")  \
  X(proxy_headers_refused, "flows whose backend answered the header with a RST alone")       \
  X(proxy_headers_unanswered, "flows ended as the backend did not acknowledge the header")   \
  X(proxy_acks_absorbed, "acknowledgements of a header alone, no business of its client")    \
  X(toa_sent, "segments that told a backend the client's address in a TCP option")           \
  X(toa_left_out, "segments that had no room for that option")                               \
  X(syn_cookies_sent, "SYNs answered by a cookie, without a flow")                           \
  X(syn_cookies_accepted, "flows begun by a client's acknowledgement of a cookie")           \
  X(syn_cookies_refused, "acknowledgements of cookies that got no flow: see the drops")      \
  X(syn_cookies_spliced, "backends' answers to the SYNs of such flows")                      \
  X(arp_requests_sent, "ARP requests, probes and announcements sent")                        \
  X(arp_requests_answered, "ARP requests for our addresses answered")                        \
  X(arp_consumed, "ARP that was read, and had no answer and nowhere else to go")             \
  X(nd_solicitations_sent, "neighbours asked for, probed, or duplicates of us looked for")   \
  X(nd_solicitations_answered, "neighbour solicitations for our addresses answered")         \
  X(nd_announcements_sent, "unsolicited neighbour advertisements for our addresses sent")    \
  X(nd_consumed, "ND and MLD that was read, and had no answer and nowhere else to go")       \
  X(mld_reports_sent, "MLD reports of the groups that our addresses are asked by")           \
  X(arp_conflicts, "claims of another MAC for a next hop that answers by the one it has")    \
  X(address_conflicts, "ARP or ND in which somebody else has one of our addresses")          \
  X(neighbours_moved, "next hops that were found at another MAC")                            \
  X(neighbours_evicted, "next hops that were forgotten to make room for others")             \
  X(echo_requests_answered, "ICMP echo requests to our addresses answered")                  \
  X(icmp_errors_translated, "ICMP errors about flows passed on")                             \
  X(port_unreachable_sent, "UDP to a port without a service answered by ICMP")               \
  X(port_unreachable_limited, "UDP to such a port not answered, to bound the rate of ICMP")  \
  X(fragmentation_needed_sent, "packets larger than their way out answered by ICMP")         \
  X(fragmentation_needed_limited, "such answers left out, to bound their rate")              \
  X(time_exceeded_sent, "packets whose TTL or hop limit ended here answered by ICMP")        \
  X(time_exceeded_limited, "expired packets not answered, to bound the rate of ICMP")        \
  X(fragments_reassembled, "fragments that became datagrams")                                \
  X(datagrams_reassembled, "datagrams put together of fragments")                            \
  X(no_route_sent, "forwarded packets without a route answered by ICMP")                     \
  X(no_route_limited, "such packets not answered, to bound the rate of ICMP")                \
  X(packets_forwarded, "packets of others that were routed on (unmatched = forward)")        \
  X(packets_fragmented, "packets larger than their way out sent in fragments")               \
  X(packets_to_kernel, "packets handed to the host's kernel")                                \
  X(packets_from_kernel, "packets of the host's kernel sent")                                \
  X(packets_made, "packets of our own: resets, ARP, SYNs sent again, copies for workers")    \
  X(relayed, "packets given to the worker that transmits for this one")                      \
  X(relays_taken, "packets of other workers that this one transmits")                        \
  X(handed_off, "packets given to the worker that they belong to")                           \
  X(taken_over, "packets taken over from the worker that received them")                     \
  X(flows_logged, "ended flows that the flow log was told of")                               \
  X(port_memory_missed, "times that no memory was ready for further ports of a pool")        \
  X(flow_log_dropped, "ended flows that the flow log had no room for")                       \
  X(clients_not_counted, "flows of clients for which the table of clients had no entry")     \
  X(why_noted, "handshakes refused, failed, reset or healed that `why` can tell of")         \
  X(why_left_out, "the same beyond their cause's share of what is remembered")               \
  X(refusals_logged, "refused SYNs that the flow log was told of")                           \
  X(refusals_not_logged, "refused SYNs beyond the flow log's sample, rate or room")

enum class Event : uint8_t {
#define X(name, help) name,
  SLUICE_EVENTS(X)
#undef X
};

inline constexpr size_t kEventCount = 0
#define X(name, help) +1
    SLUICE_EVENTS(X)
#undef X
    ;

inline constexpr net::CounterText kEventTexts[kEventCount] = {
#define X(name, help) {#name, help},
    SLUICE_EVENTS(X)
#undef X
};

struct WorkerCounters {
  std::array<Counter, net::kDropReasonCount> drops;
  std::array<Counter, kEventCount> events;
  Counter packets_in;
  Counter packets_out;
  Counter bytes_in;
  Counter bytes_out;
  Counter packets_waiting;                     // for the MAC of a next hop, now
  Counter fragments_waiting;                   // for the rest of their datagram, now
  Counter polls;                               // bursts asked for
  BurstSizes bursts;                           // sizes of those that were not empty
  Counter ticks;                               // of the worker's loop, by the processor's counter
  Counter busy_ticks;                          // of its iterations that found packets
  std::array<Counter, kFlowStateCount> flows;  // entries in each state now

  void count(net::DropReason reason) { drops[static_cast<size_t>(reason)].add(); }
  void count(Event event) { events[static_cast<size_t>(event)].add(); }
  void count(Event event, uint64_t times) { events[static_cast<size_t>(event)].add(times); }
  Counter& flows_in(FlowState state) { return flows[static_cast<size_t>(state)]; }
};

}  // namespace sluice
