// SPDX-License-Identifier: BSD-3-Clause
// Neighbour discovery that comes in (RFC 4861): learnt from, answered for our addresses.
//
// Routers are configured, and so are routes: what routers advertise and redirects are read by
// nobody here (RFC 4861, section 8.3 leaves that to the host), and are the kernel's where it has
// the interface.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// What net::is_nd() says of.
net::Verdict nd_input(Core& core, Segment& segment, uint16_t interface);

/// The kernel's, where it has the interface; else it ends here.
net::Verdict link_news(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
