// SPDX-License-Identifier: BSD-3-Clause
// ICMPv6.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

net::Verdict icmp6_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
