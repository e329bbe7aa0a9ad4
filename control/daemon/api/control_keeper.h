// SPDX-License-Identifier: BSD-3-Clause
// What outlives the process beside the flows, small and by name: overrides, a drain that is on,
// which backends are down, next hops, and what was counted.
//
// A small file of JSON beside those of the flows (state_keeper.h), replaced as a whole: at once
// when what operators and checks have set changes, every few seconds for the counters, and at the
// end. A field that is not known is left alone, and a file that cannot be read is worth a line in
// the log.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "control/common/clock.h"
#include "control/daemon/api/operations.h"
#include "control/daemon/core/dataplane_manager.h"

namespace sluice::control {

class ControlKeeper {
 public:
  // Has a backend be down until its checks say otherwise; false where it is not checked.
  using RecallDown = std::function<bool(const BackendKey&, std::string_view reason)>;

  // Both outlive it.
  ControlKeeper(DataplaneManager& dataplane, Operations& operations, RecallDown recall_down);

  // Before the workers are launched: puts into force what the process before has left.
  void recall();
  // Once a second.
  void tick();
  // At the end, in order: a drain ends with it.
  void end();

 private:
  nlohmann::json settings() const;
  void write(const nlohmann::json& settings);
  void recall_overrides(const nlohmann::json& rows);
  void recall_health(const nlohmann::json& rows);
  void recall_neighbours(const nlohmann::json& rows);
  nlohmann::json neighbours() const;

  DataplaneManager& dataplane_;
  Operations& operations_;
  RecallDown recall_down_;
  std::string file_;  // empty: nothing is kept
  nlohmann::json written_;
  SteadyTime written_at_{};
  bool refused_ = false;  // that has been said
};

}  // namespace sluice::control
