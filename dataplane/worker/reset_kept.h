// SPDX-License-Identifier: BSD-3-Clause
// Ends the flows that a process before this one has left and no worker has adopted.
#pragma once

#include <span>

#include "dataplane/state/kept_source.h"
#include "dataplane/worker/worker_call.h"

namespace sluice {

/// To be called once all workers poll.
class ResetKept : public WorkerCall {
 public:
  explicit ResetKept(std::span<const KeptSource> sources) : sources_(sources) {}
  bool step(Core& core) override;

  uint64_t reset_count() const { return reset_count_; }

 private:
  uint32_t budget_in(uint64_t now_ms);

  std::span<const KeptSource> sources_;
  size_t source_ = 0;
  size_t next_ = 0;
  uint64_t reset_count_ = 0;
  uint64_t began_ms_ = 0;
  uint64_t now_ms_ = 0;
  uint32_t left_ = 0;  // flows in this millisecond
};

}  // namespace sluice
