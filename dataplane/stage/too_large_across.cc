// SPDX-License-Identifier: BSD-3-Clause
// Fragments, or word to the sender.
#include "dataplane/stage/too_large_across.h"

#include <algorithm>

#include "dataplane/net/fragment.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/xlat.h"
#include "dataplane/stage/fragments.h"
#include "dataplane/stage/tell_sender.h"
#include "dataplane/stage/translate_across.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

/// What its sender may send so that it fits `mtu` once it is translated.
uint16_t mtu_of_sender(const net::Packet& packet, bool to_v6, uint16_t mtu) {
  if (!packet.is_v6) return static_cast<uint16_t>(mtu - std::min(mtu, net::kXlatGrowth));
  const uint32_t fits = to_v6 ? mtu : uint32_t{mtu} + net::kXlatGrowth;
  return static_cast<uint16_t>(std::clamp<uint32_t>(fits, net::kIpv6MtuMin, UINT16_MAX));
}

/// Over IPv4 as its sender says; over IPv6 where IPv4 may have to (RFC 7915, section 5.1).
bool may_leave_in_fragments(const net::Packet& packet, bool to_v6) {
  if (!packet.is_v6) return net::may_fragment(*packet.ip);
  return !to_v6 && sizeof(net::Ipv4Header) + packet.l4_length <= net::kXlatDontFragmentAbove;
}

}  // namespace

Verdict too_large_across(Core& core, Flow& flow, Segment& segment, Direction direction,
                         uint16_t mtu) {
  const bool inbound = direction == Direction::kInbound;
  const bool to_v6 = inbound ? !core.pool(flow).is_v4 : flow.has_v6_client();
  if (!may_leave_in_fragments(segment.packet, to_v6)) {
    tell_sender(core, flow, segment, direction, mtu_of_sender(segment.packet, to_v6, mtu));
    return DropReason::mtu_exceeded;
  }
  if (!translate_across(core, flow, segment, direction)) return DropReason::mbuf_exhausted;
  // Whoever lets routers cut his packets may not hear of a smaller MTU on the way, where none does
  // (RFC 7915, section 4).
  const uint16_t fragment_mtu = to_v6 ? std::min(mtu, net::kIpv6MtuMin) : mtu;
  NextHop& hop = inbound ? core.backend(flow).next_hop : flow.to_client;
  return send_fragments(core, segment, fragment_mtu, hop);
}

}  // namespace sluice
