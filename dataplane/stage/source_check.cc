// SPDX-License-Identifier: BSD-3-Clause
// Names what is wrong with a source.
#include "dataplane/stage/source_check.h"

#include <type_traits>

namespace sluice {

using net::DropReason;
using net::Verdict;

template <class Address>
Verdict check_source(const Core& core, const Address& source, uint16_t interface) {
  constexpr bool is_v4 = std::is_same_v<Address, net::Ipv4Address>;
  switch (core.snapshot->of<Address>().source_fault(source, interface)) {
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

template Verdict check_source(const Core&, const net::Ipv4Address&, uint16_t);
template Verdict check_source(const Core&, const net::Ipv6Address&, uint16_t);

}  // namespace sluice
