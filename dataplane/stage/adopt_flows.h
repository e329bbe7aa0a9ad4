// SPDX-License-Identifier: BSD-3-Clause
// Takes over what a process before this one has left, before the first packet.
//
// Each worker looks at all that was left, and takes those flows whose local ports are its own now.
// What was left stays as it is: a process that ends before all workers are through has changed
// nothing, and the next one begins anew. What nobody has taken fits nobody: ResetKept tells both
// its ends.
#pragma once

#include <span>

#include "dataplane/stage/core.h"
#include "dataplane/state/kept_source.h"

namespace sluice {

/// `sources` are those of all workers of one process. The core has its snapshot and no flow yet; it
/// is not bounded, and allocates.
void adopt_kept(Core& core, std::span<const KeptSource> sources);

/// Tells both ends of a flow that was left, and that nobody has taken, that it is over. Returns
/// whether there was one, and somebody had to be told.
bool reset_kept(Core& core, const KeptSource& source, size_t index);

}  // namespace sluice
