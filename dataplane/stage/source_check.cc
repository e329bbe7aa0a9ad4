// SPDX-License-Identifier: BSD-3-Clause
// Names what is wrong with a source.
#include "dataplane/stage/source_check.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

Verdict check_source(const Core& core, const net::IpAddress& source, uint16_t interface) {
  const bool is_v4 = source.is_v4();
  switch (core.snapshot->source_fault(source, interface)) {
    case SourceFault::kNone:
      break;
    case SourceFault::kOwn:
      return is_v4 ? DropReason::ipv4_source_bad : DropReason::ipv6_source_bad;
    case SourceFault::kBroadcast:
      return DropReason::ipv4_source_broadcast;
    case SourceFault::kMisplaced:
      return is_v4 ? DropReason::ipv4_source_misplaced : DropReason::ipv6_source_misplaced;
  }
  return Verdict::pass();
}

}  // namespace sluice
