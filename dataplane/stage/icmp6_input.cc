// SPDX-License-Identifier: BSD-3-Clause
// ICMPv6.
#include "dataplane/stage/icmp6_input.h"

#include "dataplane/net/nd.h"
#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/mld_input.h"
#include "dataplane/stage/nd_input.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

Verdict icmp6_input(Core& core, Segment& segment, uint16_t interface) {
  const uint8_t type = segment.packet.icmp->type;
  if (net::is_nd(type)) return nd_input(core, segment, interface);
  if (is_mld(type)) return mld_input(core, segment, interface);
  const net::Ipv6Address& to = segment.packet.ip6->destination;
  if (is_kernels(core, to, interface)) return give_to_kernel(core, segment.buffer, interface);
  return core.snapshot->is_own(to, interface) ? DropReason::icmp_unknown
                                              : DropReason::ipv6_not_for_us;
}

}  // namespace sluice
