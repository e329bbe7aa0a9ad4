// SPDX-License-Identifier: BSD-3-Clause
// A PROXY header (proxy_header.h) among the numbers of its flow: hidden from the client, and told
// apart from what the client has said.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Takes data, and what asks for a cookie to send it with, off a client's SYN.
void take_data_off_syn(Segment& syn);

/// Has a backend's segment say nothing of the header.
void hide_header(Core& core, uint32_t index, net::TcpHeader& tcp);

/// Whether a backend that sends a RST now has not liked the header: it has said nothing else.
bool is_header_refused(const Core& core, uint32_t index);
/// Whether a number of the client's side is of the header.
bool is_of_header(const Core& core, uint32_t index, uint32_t sequence);

/// Bytes of it that the flow's numbers count.
uint32_t header_in_flow(const Core& core, uint32_t index);

/// It was sent, and not all of it is acknowledged.
bool is_header_pending(const Core& core, uint32_t index);
/// The flow's timer was set to its idle limit.
void hasten_header(Core& core, uint32_t index);

}  // namespace sluice
