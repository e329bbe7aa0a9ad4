// SPDX-License-Identifier: BSD-3-Clause
// Packets that have come too far (RFC 1812, section 5.3.1; RFC 8200, section 3).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Of a packet, as it came in, whose TTL or hop limit would reach zero here: its sender is told, at
/// a bounded rate, and it is to be dropped.
net::DropReason hop_limit_expired(Core& core, const Segment& segment);

}  // namespace sluice
