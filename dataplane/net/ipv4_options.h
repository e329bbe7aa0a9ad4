// SPDX-License-Identifier: BSD-3-Clause
// Options of the IPv4 header (RFC 791, section 3.1).
#pragma once

#include "dataplane/net/headers.h"

namespace sluice::net {

/// Whether a loose or strict source route sends the packet on to somewhere else first. Its header
/// is whole.
bool has_source_route_left(const Ipv4Header& ip);

}  // namespace sluice::net
