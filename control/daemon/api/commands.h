// SPDX-License-Identifier: BSD-3-Clause
// What the local API can be asked.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/daemon/api/api_server.h"
#include "control/daemon/api/operations.h"
#include "control/daemon/api/tracer.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/status/status_board.h"
#include "control/daemon/status/worker_load.h"

namespace sluice::control {

class Commands {
 public:
  Commands(DataplaneManager& dataplane, Operations& operations)
      : dataplane_(dataplane), operations_(operations), tracer_(dataplane) {}

  // Replies, now or later. Throws RequestError.
  void handle(const nlohmann::json& request, const ApiServer::Reply& reply);
  // For who may only look: what changes something, or takes something from others, is refused.
  void handle_question(const nlohmann::json& request, const ApiServer::Reply& reply);
  // Once a second: takes the numbers that rates are made of, and looks after a trace.
  void tick();

  void links_changed() { status_board_.refresh_links(dataplane_); }

  nlohmann::json show(const std::string& what);
  // As of the last sample.
  const nlohmann::json& status() const { return status_board_.latest(); }

 private:
  nlohmann::json handle(const nlohmann::json& request);
  nlohmann::json show_flows(const nlohmann::json& request);
  nlohmann::json explain(const nlohmann::json& request);

  DataplaneManager& dataplane_;
  Operations& operations_;
  Tracer tracer_;
  WorkerLoads loads_;
  StatusBoard status_board_;
};

}  // namespace sluice::control
