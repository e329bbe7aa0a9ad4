// SPDX-License-Identifier: BSD-3-Clause
// What the local API can be asked: the one table of calls, and the answers of those that only look.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "control/daemon/api/api_call.h"
#include "control/daemon/api/operations.h"
#include "control/daemon/api/stage_sampling.h"
#include "control/daemon/api/tracer.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/status/status_board.h"
#include "control/daemon/status/views.h"
#include "control/daemon/status/worker_load.h"

namespace sluice::control {

class Commands {
 public:
  Commands(DataplaneManager& dataplane, Operations& operations);

  // Replies, now or later. Throws RequestError.
  void answer(const nlohmann::json& request, const ApiServer::Reply& reply, Access allowed) const {
    calls_.answer(request, reply, allowed);
  }
  // Once a second: takes the numbers that rates are made of, and looks after a trace.
  void tick();

  void links_changed() { status_board_.refresh_links(dataplane_); }

  // A view by its name. Throws RequestError.
  nlohmann::json show(std::string_view what) const;
  ShownRows rows() const;
  const Status& status_rows() const { return status_board_.latest(); }
  // As of the last sample.
  const nlohmann::json& status() const { return status_board_.latest_json(); }

 private:
  struct View {
    std::string_view name;
    std::function<nlohmann::json()> make;
  };

  nlohmann::json restart_plan() const;
  std::vector<View> views();
  std::vector<ApiCall> calls();
  ValueKind view_name() const;
  nlohmann::json counters() const;
  nlohmann::json show_flows(const nlohmann::json& request) const;
  nlohmann::json doctor() const;
  nlohmann::json explain(const nlohmann::json& request) const;
  void reload(const nlohmann::json& request, const ApiServer::Reply& reply);

  DataplaneManager& dataplane_;
  Operations& operations_;
  Tracer tracer_;
  StageSampling stages_;
  WorkerLoads loads_;
  StatusBoard status_board_;
  std::vector<View> views_;
  ApiCalls calls_;
};

}  // namespace sluice::control
