// SPDX-License-Identifier: BSD-3-Clause
// Names what is wrong with a source.
#include "dataplane/stage/source_check.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

Verdict check_source(const Core& core, net::Ipv4Address source, uint16_t interface) {
  switch (core.snapshot->source_fault(source, interface)) {
    case Snapshot::SourceFault::kNone:
      break;
    case Snapshot::SourceFault::kOwn:
      return DropReason::ipv4_source_bad;
    case Snapshot::SourceFault::kBroadcast:
      return DropReason::ipv4_source_broadcast;
    case Snapshot::SourceFault::kMisplaced:
      return DropReason::ipv4_source_misplaced;
  }
  return Verdict::pass();
}

}  // namespace sluice
