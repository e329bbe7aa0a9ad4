// SPDX-License-Identifier: BSD-3-Clause
// The rules by which an interface is judged, and the spread of packets over the workers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/common/severity.h"
#include "control/common/status_rows.h"

namespace sluice::control {

struct RowFinding {
  Severity severity;
  const char* condition;  // of the row, in a word
  std::string what;
  std::string remedy;
};

// What is wrong with an interface, the worst first.
std::vector<RowFinding> interface_findings(const LinkRow& row);

// Whether the devices spread packets as they say: nothing while they do, or while there are few.
std::optional<RowFinding> steering_finding(std::span<const WorkerRow> workers);

}  // namespace sluice::control
