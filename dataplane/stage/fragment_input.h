// SPDX-License-Identifier: BSD-3-Clause
// Fragments that come in, until they are datagrams (RFC 791, section 3.2; RFC 8200, section 4.5).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// A fragment to our MAC and one of our addresses that the kernel does not have. It goes to the
/// worker that puts its datagram together, which is told by its addresses and Identification; once
/// that is whole it is a packet like any other, and belongs to the worker of its flow.
net::Verdict fragment_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
