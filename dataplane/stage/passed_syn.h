// SPDX-License-Identifier: BSD-3-Clause
// A SYN on an open flow that is not the flow's own.
//
// Its client may have lost the connection and come again from the same port, or it may be a
// stranger's: the balancer cannot tell, the backend can. So it is passed on, adjusted like the
// flow, and remembered, as nf_conntrack remembers a SYN that it ignores, and it moves nothing:
// neither numbers nor state nor the idle timer. What comes back decides:
//
//   SYN-ACK that acknowledges it   the backend had lost the connection too: the flow begins anew
//                                  with this SYN, on the same port, adjusted as the SYN was
//   RST that acknowledges it       the backend had, and refuses: the flow is over
//   another segment that fits      the backend has the connection still. It is a challenge ACK
//                                  (RFC 5961, section 4); a client that has lost the connection
//                                  ends it with a RST, and its next SYN begins a new flow
//   nothing, for as long as a      where the backend is retired, the next SYN begins a new flow
//   client waits                   with another one
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

enum class SynFate : uint8_t {
  kPass,       // adjusted and remembered
  kBeginAnew,  // not touched: the backend is retired and silent
};
SynFate meet_other_syn(Core& core, uint32_t index, Segment& syn);

/// Whether a backend's segment acknowledges the SYN that was passed on to it, and nothing else.
bool answers_passed_syn(const Flow& flow, const net::TcpHeader& tcp);

/// After another segment of the backend that fits: it has the connection still. `is_news` where the
/// segment carries anything new.
void note_backend_lives(const Core& core, Flow& flow, bool is_news);

}  // namespace sluice
