// SPDX-License-Identifier: BSD-3-Clause
// Flows whose timer has fired.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Ends a flow that was silent too long; sets the timer anew for one that was not.
void expire_flow(Core& core, uint32_t index);

}  // namespace sluice
