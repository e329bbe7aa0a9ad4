// SPDX-License-Identifier: BSD-3-Clause
// The PROXY header of a flow: segments of Sluice's own in front of all that the client says.
//
//   client            Sluice                      backend
//     SYN  ------------> SYN, without data -------->        data on it would come first
//     SYN-ACK <--------- window less the header <---
//     ACK  ------------> ACK, header -------------->        not tied to the client's first data
//     data ------------> numbers + header --------->        at once: the backend puts it in order
//          <------------ numbers - header <---------        once the header is acknowledged
//
// A client's bytes go on behind a header that is not acknowledged: a client that speaks first then
// loses no round trip, and where the header was lost the backend keeps what follows and says so by
// SACK, so that the header goes again at once. What the backend acknowledges below the client's
// first byte is Sluice's affair: pure acknowledgements end here, what carries more has its numbers
// hidden (header_numbers.h). The header is sent again by the flow's timer, until the backend has
// acknowledged all of it or has been silent for too long.
//
// It goes into the flow's SeqAdjust, and TcpBounds::client_first lies behind it: SACK, ICMP quotes,
// resets and SYNs that are judged by numbers need nothing else.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// The flow, whose SYN has not been sent yet, is to have a header of that form.
void plan_proxy_header(Core& core, uint32_t index, uint16_t form);

/// The backend's SYN-ACK has come.
void note_header_mss(Core& core, uint32_t index, const net::TcpHeader& syn_ack);

/// A segment of the client that its backend takes, as the backend sees it without a header. True
/// where the header is to go with it.
bool follow_header(Core& core, uint32_t index, const net::TcpHeader& tcp);
/// Sends that segment and the header: a bare acknowledgement first, so that the handshake ends as
/// any does, data behind it.
net::Verdict forward_with_header(Core& core, uint32_t index, Segment& segment);

/// Sends the header without a segment of the client's; `tsecr` is what it would echo.
void begin_proxy_header(Core& core, uint32_t index, uint32_t tsecr);

/// A segment of the backend has been followed. True where it was about the header alone: it is
/// freed then.
bool absorb_for_header(Core& core, uint32_t index, Segment& segment);
/// Its client ends the flow, by a number that a backend without the header does not expect.
void reset_before_header(Core& core, uint32_t index);

/// The flow's timer has fired meanwhile.
void header_overdue(Core& core, uint32_t index);
}  // namespace sluice
