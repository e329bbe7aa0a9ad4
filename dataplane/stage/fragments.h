// SPDX-License-Identifier: BSD-3-Clause
// Packets that leave in fragments (RFC 791, section 3.2; RFC 7915, section 4).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Sends a packet of others' in smaller pieces, which it may be one of itself. IPv4; all or none.
net::Verdict send_on_in_fragments(Core& core, Segment& segment, uint16_t mtu, NextHop& hop);

/// Sends a translated packet that may be fragmented in fragments of at most `mtu` bytes; all of
/// them or none.
net::Verdict send_fragments(Core& core, Segment& segment, uint16_t mtu, NextHop& hop);

}  // namespace sluice
