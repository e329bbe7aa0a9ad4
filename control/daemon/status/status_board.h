// SPDX-License-Identifier: BSD-3-Clause
// One picture of the whole balancer a second: the rows of `show`, how fast they grow, what is
// wrong, and five minutes of history. The page, `sluicectl status` and `sluicectl top` are made of
// it.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <nlohmann/json.hpp>
#include <vector>

#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/core/neighbour_watch.h"
#include "control/daemon/core/reload_record.h"
#include "control/daemon/loop/event_loop.h"
#include "control/daemon/status/pool_watch.h"
#include "control/daemon/status/rates.h"
#include "control/daemon/status/status.h"
#include "control/daemon/status/worker_load.h"

namespace sluice::control {

// What the status says of reloads, the loop and the drain.
struct OperatorView {
  const ReloadRecord& reloads;
  const EventLoop::Load& loop_load;
  DrainRow drain;
};

class StatusBoard {
 public:
  static constexpr size_t kHistorySeconds = 300;

  // Once a second.
  void sample(const DataplaneManager& dataplane, const OperatorView& operations,
              const std::vector<WorkerLoad>& loads);
  // Between two samples, so that a link that goes down is not a second old news.
  void refresh_links(const DataplaneManager& dataplane);
  // As of the last sample; before the first nothing.
  const Status& latest() const { return latest_; }
  // The same, put together when it is first asked for: of many backends that takes longer than all
  // the rest.
  const nlohmann::json& latest_json() const;

 private:
  void add_rates(Status& status);
  void keep_history(const TotalsRow& totals);

  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  Rates rates_;
  PoolWatch pool_watch_;
  NeighbourWatch neighbour_watch_;
  std::map<std::string, std::deque<double>> history_;  // by field of the totals
  Status latest_;
  bool sampled_ = false;
  mutable nlohmann::json latest_json_ = nlohmann::json::object();  // null: not put together yet
};

}  // namespace sluice::control
