// SPDX-License-Identifier: BSD-3-Clause
// Half-open recovery (RFC 9293, section 3.5.1) in the client's stead: a backend that still knows an
// older connection of the tuple is cleared before the client sees its answer.
//
// A backend that still holds the tuple (TIME_WAIT, or a connection from before a restart of the
// balancer) answers a SYN with a segment of the old connection. Its acknowledgement is the number
// at which a RST clears it, the last sequence number it remembers and, with TSecr, the last
// timestamp. So:
//
//   1st stale answer   RST at that number, and the client's SYN again on the same port, already
//                      adjusted by what the answer said: Linux answers such SYNs only twice a
//                      second, so to wait and see whether the RST worked (RFC 1337 stacks ignore
//                      it) would cost a stall
//   further ones       the same on another local port, where there is one; what was learned stays
//                      with the old one
//   after the last     an honest RST to the client
//
// A segment of the old connection that was merely late on the way looks the same. Where it could be
// one, the heal waits a moment for the SYN-ACK.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

inline constexpr uint8_t kHealAttemptsMax = 4;

/// Meets a stale answer to the SYN of `index`. The answer itself is dropped in any case, for the
/// reason returned. The flow may be gone afterwards.
net::DropReason heal(Core& core, uint32_t index, const Segment& answer);

/// The time is over that heal() gave an answer which might have been a late segment.
void heal_overdue(Core& core, uint32_t index);

/// A client's SYN sent again for the second time without any answer from the backend: under
/// `rebase` the flow takes another local port (a stack that drops silently would never show a stale
/// answer). The segment is left as the client sent it.
void move_unanswered(Core& core, uint32_t index, const Segment& syn);

}  // namespace sluice
