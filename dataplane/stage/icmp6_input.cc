// SPDX-License-Identifier: BSD-3-Clause
// ICMPv6.
#include "dataplane/stage/icmp6_input.h"

#include "dataplane/net/nd.h"
#include "dataplane/stage/icmp_input.h"
#include "dataplane/stage/mld_input.h"
#include "dataplane/stage/nd_input.h"

namespace sluice {

net::Verdict icmp6_input(Core& core, Segment& segment, uint16_t interface) {
  const uint8_t type = segment.packet.icmp->type;
  if (net::is_nd(type)) return nd_input(core, segment, interface);
  if (is_mld(type)) return mld_input(core, segment, interface);
  return icmp_input(core, segment, interface);
}

}  // namespace sluice
