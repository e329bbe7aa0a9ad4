// SPDX-License-Identifier: BSD-3-Clause
// How a flow begins: backend, local port, entry.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Begins a flow for a client's SYN: schedules, takes a port, enters both keys. The SYN itself is
/// shifted where the port's history asks for it, but not yet translated or sent. `index` is set on
/// success.
/// `is_real`: its client has shown that it gets what it is sent.
net::Verdict open_flow(Core& core, const ServiceView& service, Segment& syn, uint32_t& index,
                       bool is_real = false);

/// Enters an allocated flow, whose key, port and state are set, among those that may still make way
/// for others; false, and it is freed, where the index has no room.
bool enter_flow(Core& core, uint32_t index, bool repeated);

/// Makes a client's SYN the one that the flow's backend will judge: adjusts its numbers where the
/// flow's are adjusted, and follows TCP from it.
void begin_handshake(Core& core, uint32_t index, Segment& syn);

/// Gives an open flow to the connection of its PassedSyn, which the backend has just answered with
/// `syn_ack`. It is in syn_sent then, on the same port.
void restart_flow(Core& core, uint32_t index, const Segment& syn_ack);

}  // namespace sluice
