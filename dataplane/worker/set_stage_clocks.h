// SPDX-License-Identifier: BSD-3-Clause
// Has a worker time some of its bursts, or no longer.
#pragma once

#include "dataplane/stage/stage_clocks.h"
#include "dataplane/worker/worker_call.h"

namespace sluice {

/// Gives a worker clocks to fill, or takes them away (nullptr).
class SetStageClocks : public WorkerCall {
 public:
  explicit SetStageClocks(StageClocks* clocks) : clocks_(clocks) {}
  bool step(Core& core) override;

 private:
  StageClocks* clocks_;
};

}  // namespace sluice
