// SPDX-License-Identifier: BSD-3-Clause
// Whether the tables of a core fit together: each flow is found by its key and by its port, each
// port is somebody's once, and what is counted is there.
#pragma once

#include <string>
#include <vector>

#include "dataplane/stage/core.h"

namespace sluice::sim {

// A flow as the network knows it: its client, its path and its local port.
struct FlowTuple {
  FlowName name;
  PathId path;
  uint16_t local_port;
  bool is_open;      // not over, and its backend has answered
  uint64_t numbers;  // a hash of what is known of a handshake without an answer; else 0

  bool operator==(const FlowTuple& other) const {
    return name == other.name && path == other.path && local_port == other.local_port;
  }
};

std::vector<FlowTuple> tuples_of(const Core& core);

// What does not fit; empty where all does.
std::string audit(const Core& core);

}  // namespace sluice::sim
