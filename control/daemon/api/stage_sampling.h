// SPDX-License-Identifier: BSD-3-Clause
// `show stages`: what a packet costs in each stage, while somebody asks.
//
// The first question has the workers time one burst in a thousand; half a minute after the last one
// they do so no longer.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "control/daemon/core/dataplane_manager.h"
#include "dataplane/stage/stage_clocks.h"

namespace sluice::control {

class StageSampling {
 public:
  explicit StageSampling(const DataplaneManager& dataplane) : dataplane_(dataplane) {}
  StageSampling(const StageSampling&) = delete;
  StageSampling& operator=(const StageSampling&) = delete;
  // To be called while the workers run, or after they have stopped.
  ~StageSampling() { end(); }

  // What has been sampled since the first question, by worker and stage.
  nlohmann::json view();
  // Once a second: ends what nobody asks for any more.
  void tick();

 private:
  using Clock = std::chrono::steady_clock;

  void begin();
  void end();

  const DataplaneManager& dataplane_;
  std::vector<std::unique_ptr<StageClocks>> clocks_;  // by worker; empty: nothing is sampled
  Clock::time_point began_;
  Clock::time_point asked_;
};

}  // namespace sluice::control
