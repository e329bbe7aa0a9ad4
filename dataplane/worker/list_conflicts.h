// SPDX-License-Identifier: BSD-3-Clause
// Asks a worker who claimed an address that somebody else has.
#pragma once

#include "dataplane/worker/worker_call.h"

namespace sluice {

class ListConflicts : public WorkerCall {
 public:
  bool step(Core& core) override {
    rows_ = core.mac_conflicts.rows();
    return true;
  }
  const MacConflicts::Rows& rows() const { return rows_; }

 private:
  MacConflicts::Rows rows_{};
};

}  // namespace sluice
