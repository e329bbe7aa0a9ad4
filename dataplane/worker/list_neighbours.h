// SPDX-License-Identifier: BSD-3-Clause
// Asks a worker which next hops it knows.
#pragma once

#include <vector>

#include "dataplane/stage/kept_neighbours.h"
#include "dataplane/worker/worker_call.h"

namespace sluice {

class ListNeighbours : public WorkerCall {
 public:
  /// Of more than `count_max` some are left out.
  explicit ListNeighbours(size_t count_max) { neighbours_.reserve(count_max); }
  bool step(Core& core) override {
    constexpr uint32_t kPerStep = 64;
    return list_neighbours(core, cursor_, kPerStep, neighbours_);
  }
  const std::vector<KnownNeighbour>& neighbours() const { return neighbours_; }

 private:
  uint32_t cursor_ = 0;
  std::vector<KnownNeighbour> neighbours_;
};

}  // namespace sluice
