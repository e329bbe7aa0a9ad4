// SPDX-License-Identifier: BSD-3-Clause
// Gives a worker a trace to fill, or takes it away.
#pragma once

#include "dataplane/stage/trace.h"
#include "dataplane/worker/worker_call.h"

namespace sluice {

/// Arms a worker's trace, or takes it away (nullptr).
class SetTrace : public WorkerCall {
 public:
  explicit SetTrace(Trace* trace) : trace_(trace) {}
  bool step(Core& core) override;

 private:
  Trace* trace_;
};

}  // namespace sluice
