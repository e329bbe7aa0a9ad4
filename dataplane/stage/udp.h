// SPDX-License-Identifier: BSD-3-Clause
// UDP: the way of a datagram from client to backend and back.
//
// A flow is a five-tuple. It begins with whatever its client sends first, and ends when it has been
// silent for its service's `udp_idle_seconds` (RFC 4787, REQ-5), when a one-shot flow has its
// answers, or when the backend's host says that nobody listens there.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Takes a client's datagram of an existing flow to its backend.
net::Verdict udp_inbound(Core& core, uint32_t index, Segment& segment);
/// One of a service, that no flow has: begins a flow, or refuses.
net::Verdict udp_inbound_miss(Core& core, const ServiceView& service, Segment& segment);

/// Takes a backend's datagram of a flow to its client. The flow may be gone afterwards.
net::Verdict udp_outbound(Core& core, uint32_t index, Segment& segment);
/// One to a local address, that no flow has. A port that still hears of its last flow rests anew.
net::Verdict udp_outbound_miss(Core& core, const Segment& segment);

/// A datagram to an address of ours at which no service listens: its sender is told by ICMP (RFC
/// 1122, section 4.1.3.1), at a bounded rate.
net::Verdict udp_no_service(Core& core, const Segment& segment);

}  // namespace sluice
