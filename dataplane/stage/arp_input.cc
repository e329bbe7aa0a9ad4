// SPDX-License-Identifier: BSD-3-Clause
// ARP.
#include "dataplane/stage/arp_input.h"

#include "dataplane/net/arp.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/ownership.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// Replies and announcements are news for the kernel's neighbour table as well. Requests are not:
/// for our addresses it is Sluice that answers, so that no queue stands in between.
Verdict arp_heard(Core& core, Segment& segment, uint16_t interface) {
  const net::ArpHeader& arp = *segment.packet.arp;
  const bool news = arp.operation == net::kArpReply || arp.sender_ip == arp.target_ip;
  if (news && !core.taken_over() && core.kernel_rings[interface] != nullptr) {
    return give_to_kernel(core, segment.buffer, interface);
  }
  core.count(Event::arp_consumed);
  rte_pktmbuf_free(segment.buffer);
  return net::Fate::kConsumed;
}

/// What no host can say of itself (RFC 826; RFC 5227, section 2.4 for our own addresses).
bool is_from_nobody(Core& core, const net::ArpHeader& arp, uint16_t interface) {
  const Snapshot& snapshot = *core.snapshot;
  const auto fault = snapshot.source_fault(arp.sender_ip, interface);
  if (fault == SourceFault::kOwn && !core.taken_over() &&
      snapshot.is_own(arp.sender_ip, interface)) {
    core.next_hops.note_own_conflict(snapshot, arp.sender_ip, arp.sender_mac, interface);
  }
  return fault == SourceFault::kOwn || fault == SourceFault::kBroadcast ||
         arp.sender_mac == net::MacAddress{} ||
         arp.sender_mac == snapshot.interfaces[interface].mac;
}

}  // namespace

Verdict arp_input(Core& core, Segment& segment, uint16_t interface) {
  const Snapshot& snapshot = *core.snapshot;
  net::ArpHeader& arp = *segment.packet.arp;
  const bool for_us = snapshot.is_own(arp.target_ip, interface);
  if (is_from_nobody(core, arp, interface)) return DropReason::arp_bad;
  core.next_hops.learn(snapshot, {arp.sender_ip, arp.sender_mac}, interface, for_us,
                       !core.taken_over(), core.now_ms);
  // Each worker asks for itself, and one receives the answers; announcements concern all as well.
  if (for_us || arp.sender_ip == arp.target_ip) hand_copies(core, segment, interface);
  if (!for_us || arp.operation != net::kArpRequest || core.taken_over()) {
    return arp_heard(core, segment, interface);
  }
  const InterfaceView& view = snapshot.interfaces[interface];
  net::arp_answer(*segment.packet.ethernet, arp, view.mac);
  core.count(Event::arp_requests_answered);
  core.tx.send(view.port, segment.buffer);
  return net::Fate::kSent;
}

}  // namespace sluice
