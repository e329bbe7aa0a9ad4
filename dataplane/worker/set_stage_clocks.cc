// SPDX-License-Identifier: BSD-3-Clause
// Giving a worker clocks to fill.
#include "dataplane/worker/set_stage_clocks.h"

namespace sluice {

bool SetStageClocks::step(Core& core) {
  core.stage_clocks = clocks_;
  return true;
}

}  // namespace sluice
