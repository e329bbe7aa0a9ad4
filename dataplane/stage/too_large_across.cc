// SPDX-License-Identifier: BSD-3-Clause
// Word to the sender.
#include "dataplane/stage/too_large_across.h"

namespace sluice {

net::Verdict too_large_across(Core&, Flow&, Segment&, Direction, uint16_t) {
  return net::DropReason::mtu_exceeded;
}

}  // namespace sluice
