// SPDX-License-Identifier: BSD-3-Clause
// Flows that began with a SYN cookie: between the number that the client was given and the
// backend's own.
//
//   client                    Sluice                    backend
//     SYN  -------------------->                                   nothing is kept
//     SYN-ACK, window 0 <-------                                   its number is the cookie
//     ACK  -------------------->  SYN  ------------------->        as the client's was
//                                 SYN-ACK <----------------
//     ACK, window <-------------  ACK  ------------------->
//     data -------------------->  numbers -> ------------->
//          <-------------------- <- numbers  <-------------
//
// The window is closed until the backend is there, so that there is nothing to hold (as netfilter's
// SYNPROXY and OpenBSD's pf do it). What the client sends all the same, a FIN or a question for the
// window, is dropped, and comes again. The SYN is sent again by the flow's timer, and healed and
// moved as any. TcpTrack sees the backend's numbers, as it does of adjusted flows.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// The backend's SYN-ACK, which TcpTrack has read: acknowledges it, opens the client's window. The
/// flow is established.
void complete_splice(Core& core, uint32_t index, const Segment& syn_ack);
/// Its timer has fired while it waits.
void splice_overdue(Core& core, uint32_t index);

}  // namespace sluice
