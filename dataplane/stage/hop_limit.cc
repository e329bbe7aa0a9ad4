// SPDX-License-Identifier: BSD-3-Clause
// The end of a packet's way.
#include "dataplane/stage/hop_limit.h"

namespace sluice {

using net::DropReason;

DropReason hop_limit_expired(Core&, const Segment& segment) {
  return segment.packet.is_v6 ? DropReason::ipv6_hop_limit_expired : DropReason::ipv4_ttl_expired;
}

}  // namespace sluice
