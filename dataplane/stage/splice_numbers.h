// SPDX-License-Identifier: BSD-3-Clause
// The numbers of a flow that began with a SYN cookie (splice.h): the client has those of the
// cookie, the backend its own.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Whether it waits for its backend, with a client that takes itself for connected.
bool is_splice_waiting(const Core& core, uint32_t index);

/// Its timer was set to its idle limit.
void hasten_splice(Core& core, uint32_t index);

/// Client's numbers to the backend's view, and back; beside what adjusts them.
void splice_inbound(Core& core, uint32_t index, net::TcpHeader& tcp);
void splice_outbound(Core& core, uint32_t index, net::TcpHeader& tcp);

/// What is to be added to a number of the backend's side for the client; 0 of other flows.
uint32_t splice_offset(const Core& core, const Flow& flow);
/// A number of the backend's side as the client of a spliced flow sees it; before the backend has
/// one, that which the client expects.
uint32_t client_view(const Core& core, const Flow& flow, uint32_t sequence);

}  // namespace sluice
