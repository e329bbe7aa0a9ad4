// SPDX-License-Identifier: BSD-3-Clause
// Fragments, or word to the sender.
#include "dataplane/stage/too_large_across.h"

#include <algorithm>

#include "dataplane/net/fragment.h"
#include "dataplane/net/icmpv6.h"
#include "dataplane/net/xlat.h"
#include "dataplane/port/datagram_mark.h"
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

/// How large fragments may be; 0: there may be none. Over IPv4 as its sender says; over IPv6 where
/// IPv4 may have to (RFC 7915, section 5.1), or where the sender has made fragments: of the same
/// size then, as nothing else tells him what the path takes.
uint16_t fragment_size_across(const Segment& segment, bool to_v6, uint16_t mtu) {
  const net::Packet& packet = segment.packet;
  if (!packet.is_v6) {
    // Whoever lets routers cut his packets may not hear of a smaller MTU on the way, where none
    // does (RFC 7915, section 4).
    return net::may_fragment(*packet.ip) ? std::min(mtu, net::kIpv6MtuMin) : uint16_t{0};
  }
  const uint16_t came_as = largest_fragment(segment.buffer);
  if (to_v6) return came_as <= mtu ? came_as : uint16_t{0};
  const size_t length = sizeof(net::Ipv4Header) + packet.l4_length;
  return came_as != 0 || length <= net::kXlatDontFragmentAbove ? mtu : uint16_t{0};
}

}  // namespace

Verdict too_large_across(Core& core, Flow& flow, Segment& segment, Direction direction,
                         uint16_t mtu) {
  const bool inbound = direction == Direction::kInbound;
  const bool to_v6 = inbound ? !core.pool(flow).is_v4 : flow.has_v6_client();
  const uint16_t size = fragment_size_across(segment, to_v6, mtu);
  if (size == 0) {
    tell_sender(core, flow, segment, direction, mtu_of_sender(segment.packet, to_v6, mtu));
    return DropReason::mtu_exceeded;
  }
  if (!translate_across(core, flow, segment, direction)) return DropReason::mbuf_exhausted;
  NextHop& hop = inbound ? core.backend(flow).next_hop : flow.to_client;
  return send_fragments(core, segment, size, hop);
}

}  // namespace sluice
