// SPDX-License-Identifier: BSD-3-Clause
// Arming a worker's trace.
#include "dataplane/worker/set_trace.h"

namespace sluice {

bool SetTrace::step(Core& core) {
  if (trace_ != nullptr) trace_->begin(core.now_ms);
  core.trace = trace_;
  return true;
}

}  // namespace sluice
