// SPDX-License-Identifier: BSD-3-Clause
// A flow's packet where IPv6 is on either side: translated within IPv6, or from one family to the
// other (RFC 7915).
#pragma once

#include "dataplane/stage/core.h"
#include "dataplane/stage/direction.h"

namespace sluice {

/// Gives a packet the addresses, ports, family and hop limit of the other side. False, and nothing
/// done, where the buffer has no room for the longer header.
bool translate_across(Core& core, const Flow& flow, Segment& segment, Direction direction);

/// The same of one that comes and leaves as IPv6; `to` is that of its flow and direction.
inline void translate_within_v6(net::Packet& packet, const net::Translation6& to) {
  if (packet.kind == net::Packet::Kind::kTcp) [[likely]] {
    net::translate(*packet.ip6, *packet.tcp, to);
  } else {
    net::translate(*packet.ip6, *packet.udp, to);
  }
}

}  // namespace sluice
