// SPDX-License-Identifier: BSD-3-Clause
// rte_telemetry's commands under /sluice/, which dpdk-telemetry.py and its like ask for.
//
//   /sluice                     what there is
//   /sluice/backends            the rows there are: ["web 10.2.0.10:80", ...]
//   /sluice/backends,0          the first of them, field by field, as `sluicectl show` has it
//   /sluice/counters            every counter
//
// DPDK calls from a thread of its own, without a context: the commands exist once a process, and
// answer an error while no Telemetry lives.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>

#include "control/daemon/loop/loop_call.h"

namespace sluice::control {

class Telemetry {
 public:
  using Show = std::function<nlohmann::json(const char* what)>;

  // `show` runs on the loop. Registers the commands.
  Telemetry(LoopCall& calls, Show show);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;
};

}  // namespace sluice::control
