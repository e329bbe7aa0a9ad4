// SPDX-License-Identifier: BSD-3-Clause
// Names in the log who claims addresses that somebody else has.
#pragma once

#include <cstdint>
#include <vector>

#include "control/daemon/core/dataplane_manager.h"
#include "dataplane/state/mac_conflicts.h"

namespace sluice::control {

// "interface client: 02:.. says that it has 10.1.255.1, which 02:.. answers for (3 times)"
std::string sentence_of(const MacConflict& conflict, const std::string& interface);

class ConflictWatch {
 public:
  // Once a second. Workers are asked only where they have counted something.
  void look(const DataplaneManager& dataplane);

 private:
  struct Seen {
    uint64_t events = 0;
    MacConflicts::Rows rows{};
  };
  std::vector<Seen> seen_;  // by worker
};

}  // namespace sluice::control
