// SPDX-License-Identifier: BSD-3-Clause
// Whose, and whole?
#include "dataplane/stage/fragment_input.h"

#include "dataplane/net/fragment_view.h"
#include "dataplane/stage/ownership.h"

namespace sluice {

using net::DropReason;
using net::FragmentView;
using net::Verdict;

namespace {

/// Which neither a flow nor an echo would be of.
bool is_for_nobody(const FragmentView& fragment) {
  return fragment.source.is_v4() && fragment.protocol != net::kProtocolTcp &&
         fragment.protocol != net::kProtocolUdp && fragment.protocol != net::kProtocolIcmp;
}

Verdict put_together(Core& core, Segment& segment, FragmentView& fragment, uint16_t interface) {
  if (segment.packet.is_v6) {
    const uint16_t extra = net::strip_before_fragment(segment.packet, fragment);
    if (extra > 0) rte_pktmbuf_adj(segment.buffer, extra);
  }
  segment.buffer->port = core.snapshot->interfaces[interface].port;
  rte_mbuf* datagram = nullptr;
  const Verdict verdict =
      core.reassembly->add(segment.buffer, segment.packet, fragment, core.now_ms, datagram);
  // A burst has no more fragments than there is room for datagrams.
  if (datagram != nullptr) core.datagrams.packets[core.datagrams.count++] = datagram;
  return verdict;
}

}  // namespace

Verdict fragment_input(Core& core, Segment& segment, uint16_t interface) {
  const net::Packet& packet = segment.packet;
  if (!core.reassembly) return packet.reason;
  // A fragment in a fragment.
  if (core.origin == BurstOrigin::kReassembled) return DropReason::fragment_bad;
  FragmentView fragment = net::view_fragment(packet);
  if (is_for_nobody(fragment)) return DropReason::protocol_unknown;
  if (const auto fault = net::fragment_fault(fragment)) return *fault;
  if (!core.taken_over() && !core.reassembly->may_take(core.now_ms)) {
    return DropReason::fragments_limited;
  }
  if (may_be_elsewhere(core)) {
    const uint32_t owner =
        core.steering.owner_of_fragment(fragment.source, fragment.destination, fragment.id);
    if (owner != core.worker) return hand_off(core, owner, segment, interface);
  }
  return put_together(core, segment, fragment, interface);
}

}  // namespace sluice
