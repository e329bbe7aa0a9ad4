// SPDX-License-Identifier: BSD-3-Clause
// Traces of single packets, as the API starts, reads and ends them. One at a time.
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/daemon/core/dataplane_manager.h"
#include "dataplane/stage/trace.h"

namespace sluice::control {

class Tracer {
 public:
  explicit Tracer(DataplaneManager& dataplane) : dataplane_(dataplane) {}
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  // To be called while the workers run.
  ~Tracer() { end(); }

  // These answer a request that has been checked (commands.cc). They throw RequestError.
  nlohmann::json start(const nlohmann::json& request);  // gives the trace's number
  // The packets since the last time, oldest first, and whether it is over.
  nlohmann::json read(const nlohmann::json& request);
  std::string stop(const nlohmann::json& request);
  // Once a second: ends a trace that nobody reads any more.
  void tick();

 private:
  using Clock = std::chrono::steady_clock;

  // A worker's, and how much of it has been read.
  struct Part {
    std::unique_ptr<Trace> trace;
    uint32_t read = 0;
  };

  struct Running {
    uint64_t id;
    std::string client;  // for who asks for another
    uint32_t left;       // packets
    uint32_t number = 0;
    Clock::time_point end;
    Clock::time_point last_read;
    std::vector<Part> parts;  // by worker
  };

  void check_is_running(const nlohmann::json& request) const;
  nlohmann::json row(const TraceRecord& record, uint32_t worker);
  void end();

  DataplaneManager& dataplane_;
  uint64_t last_id_ = 0;
  std::optional<Running> running_;
};

}  // namespace sluice::control
