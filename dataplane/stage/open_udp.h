// SPDX-License-Identifier: BSD-3-Clause
// How a UDP flow begins: backend, local port, entry.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Begins a flow for a client's first datagram, which is not yet noted, translated or sent. `index`
/// is set on success.
net::Verdict open_udp_flow(Core& core, const ServiceView& service, const Segment& first,
                           uint32_t& index);

}  // namespace sluice
