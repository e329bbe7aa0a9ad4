// SPDX-License-Identifier: BSD-3-Clause
// The client's address in a TCP option, as DPVS and Alibaba's LVS write it (TOA): kind 254, its
// length, the client's port and address, 8 bytes for IPv4 and 20 for IPv6, in front of all other
// options.
//
// The acknowledgement that ends the handshake has it, and data until the backend has acknowledged
// some: whichever of them arrives first is what a kernel module at the backend reads. Where the
// option would not fit, be it beside other options or into the MTU, the segment goes without.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// The flow, whose SYN has not been sent yet, is to have it.
void plan_toa(Core& core, uint32_t index);

/// A segment of the client that its backend takes, with the numbers that the backend is to see.
void add_toa(Core& core, uint32_t index, Segment& segment);

}  // namespace sluice
