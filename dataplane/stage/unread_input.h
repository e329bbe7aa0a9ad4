// SPDX-License-Identifier: BSD-3-Clause
// Frames that parse() does not read to their end.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// A frame that parse() does not read: the kernel's where it has this interface and is meant
/// (another protocol or a fragment to its address, multicast, broadcast). What is not for us may be
/// forwarded (unmatched.h), other fragments are put together (fragment_input.h), and the rest is
/// dropped for the reason that parse() gave.
net::Verdict unread_input(Core& core, Segment& segment, uint16_t interface);

}  // namespace sluice
