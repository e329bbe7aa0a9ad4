// SPDX-License-Identifier: BSD-3-Clause
// Multicast listener discovery that comes in (RFC 3810): queries are answered for the groups of our
// addresses; what other listeners say is nothing to us.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

constexpr bool is_mld(uint8_t icmpv6_type) {
  using namespace net::icmpv6_type;
  return (icmpv6_type >= kMldQuery && icmpv6_type <= kMldDone) || icmpv6_type == kMldReportV2;
}

net::Verdict mld_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
