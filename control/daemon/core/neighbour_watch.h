// SPDX-License-Identifier: BSD-3-Clause
// Finds a worker that a neighbour does not answer while it answers others: what the worker sends is
// lost, and what it receives is not.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "control/daemon/core/dataplane_manager.h"

namespace sluice::control {

// Backends and gateways, each once.
std::vector<IpAddress> destinations_of(const DataplaneManager& dataplane);

class NeighbourWatch {
 public:
  // Once a second. Workers are asked only when some of them, and not all, have dropped packets for
  // a neighbour that does not answer.
  void sample(const DataplaneManager& dataplane);
  // By worker: the first such neighbour, or nothing.
  const std::vector<std::string>& cut_off_from() const { return cut_off_from_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kRemembered{10};

  bool some_drop(const DataplaneManager& dataplane);
  void ask(const DataplaneManager& dataplane);

  std::vector<uint64_t> dropped_;
  std::vector<std::string> cut_off_from_;
  Clock::time_point asked_{};
};

}  // namespace sluice::control
