// SPDX-License-Identifier: BSD-3-Clause
// The flow log: a line of JSON for each flow that has ended, or for one in so many; and for SYNs
// that were refused.
//
// A thread of its own on the control thread's CPU empties the workers' rings fifty times a second
// and writes. It never waits for the file: what a pipe does not take stays, the rings fill up, and
// workers count what they could not tell (`flow_log_dropped`).
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/keys.h"
#include "control/host/flow_log_file.h"
#include "dataplane/port/flow_log_ring.h"

namespace sluice::control {

// Appends the record's line. `service` is the name as a JSON string.
void append_flow(std::string& lines, const FlowRecord& record, std::string_view service);

class FlowLog {
 public:
  explicit FlowLog(std::vector<FlowLogRing*> rings);
  FlowLog(const FlowLog&) = delete;
  FlowLog& operator=(const FlowLog&) = delete;
  // Writes what there is before it goes.
  ~FlowLog();

  // Control thread.
  // Puts a configuration into force and opens its file anew. A file that cannot be opened is
  // logged; flows are told of and lost then.
  void apply(const Config& config);
  // Opens the file anew, by its name: for who has renamed it.
  void reopen();

 private:
  using Names = std::map<ServiceKey, std::string>;  // of services, as JSON strings

  // What the control thread wants, until the writer has taken it over.
  struct Order {
    LineFile file;
    Names names;
  };

  void order();
  void run(const std::stop_token& stop);
  void take_order();
  void empty_rings();

  std::vector<FlowLogRing*> rings_;
  // Control thread.
  std::string path_;
  Names configured_;
  // Both.
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<Order> order_;
  // Writer.
  LineFile file_;
  Names names_;
  std::string lines_;  // not written yet
  std::jthread writer_;
};

}  // namespace sluice::control
