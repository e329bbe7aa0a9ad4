// SPDX-License-Identifier: BSD-3-Clause
// What the configuration in force says of a flow's backend.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// The flow's backend in the snapshot in force; nullptr once a reload has removed it.
const BackendView* configured_backend(const Core& core, const Flow& flow);

/// Whether a client had better be served elsewhere: the backend is removed or takes no new flows.
/// Never while the whole balancer drains, for then there is no elsewhere.
bool is_retired(const Core& core, const Flow& flow);

}  // namespace sluice
