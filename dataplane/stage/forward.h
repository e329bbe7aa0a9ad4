// SPDX-License-Identifier: BSD-3-Clause
// The last step of a flow's packet: counted, translated and sent on its way, TCP and UDP alike.
//
// In line always: it is most of what a packet in mid-flow costs. That is IPv4 to IPv4; the rest is
// in forward_across.h.
#pragma once

#include "dataplane/net/rewrite.h"
#include "dataplane/stage/core.h"
#include "dataplane/stage/forward_across.h"
#include "dataplane/stage/too_large.h"

namespace sluice {

/// `transport` is the header of the segment that has the ports.
template <class Transport>
[[gnu::always_inline]] inline net::Verdict forward_to_backend(Core& core, Flow& flow,
                                                              Segment& segment,
                                                              Transport& transport) {
  if (segment.packet.is_v6 || !core.pool(flow).is_v4) [[unlikely]] {
    return forward_across(core, flow, segment, Direction::kInbound, NextHops::Share::kFlows);
  }
  BackendState& backend = core.backend(flow);
  backend.packets_in.add();
  backend.bytes_in.add(segment.packet.ip->total_length.host());
  const net::Translation to = core.to_backend4(flow);
  net::translate(*segment.packet.ip, transport, to);
  const net::Verdict verdict = core.next_hops.try_send<NextHops::Share::kFlows>(
      *core.snapshot, segment.buffer, to.destination.ip, backend.next_hop, core.now_ms);
  if (verdict == net::DropReason::mtu_exceeded) [[unlikely]] {
    return too_large(core, flow, segment, Direction::kInbound);
  }
  return verdict;
}

/// The same on the way back. `share` is kStrangers as long as the client may be anybody.
template <NextHops::Share share, class Transport>
[[gnu::always_inline]] inline net::Verdict forward_to_client(Core& core, Flow& flow,
                                                             Segment& segment,
                                                             Transport& transport) {
  if (segment.packet.is_v6 || flow.has_v6_client()) [[unlikely]] {
    return forward_across(core, flow, segment, Direction::kOutbound, share);
  }
  BackendState& backend = core.backend(flow);
  backend.packets_out.add();
  backend.bytes_out.add(segment.packet.ip->total_length.host());
  const net::Translation to = core.to_client4(flow);
  net::translate(*segment.packet.ip, transport, to);
  const net::Verdict verdict = core.next_hops.try_send<share>(
      *core.snapshot, segment.buffer, to.destination.ip, flow.to_client, core.now_ms);
  if (verdict == net::DropReason::mtu_exceeded) [[unlikely]] {
    return too_large(core, flow, segment, Direction::kOutbound);
  }
  return verdict;
}

}  // namespace sluice
