// SPDX-License-Identifier: BSD-3-Clause
// Resets that Sluice sends in its own name or in that of a flow's ends.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// RST to the backend at the number that it expects (RFC 5961 stacks take no other).
void reset_backend(Core& core, Flow& flow);
/// RST to the backend at a number that it just acknowledged.
void reset_backend_at(Core& core, Flow& flow, uint32_t sequence);
/// RST to the flow's backend on a local address and port that the flow has left.
void reset_tuple(Core& core, Flow& flow, const net::Endpoint& local, uint32_t sequence);
/// RST to the client at the number that it expects; to one that waits for a SYN-ACK, one that
/// refuses.
void reset_client(Core& core, Flow& flow);
/// The four addresses of a flow that is not in our table.
struct FlowEnds {
  net::Endpoint client, vip, local, backend;
};
/// RST to both ends of one, beyond all that was sent to them: what they acknowledged since nobody
/// followed it is not known. One that expects an earlier number answers with a challenge ACK (RFC
/// 5961), and that is answered with a RST that it takes.
void reset_both(Core& core, const Flow& flow, const FlowEnds& ends);
/// The RST of a host that knows no connection, in answer to `segment`. It goes out in the segment's
/// own buffer, which is then gone; a RST is not answered and stays.
void answer_with_reset(Core& core, Segment& segment, Event counted);

}  // namespace sluice
