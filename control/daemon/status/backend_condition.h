// SPDX-License-Identifier: BSD-3-Clause
// How a backend is: by its operator, its health check, its answers, and beside its peers.
#pragma once

#include <string>

#include "control/common/status_rows.h"

namespace sluice::control {

// How a backend is, from its row with its rates: a word for a table, and what to say of it.
struct Condition {
  Severity severity;
  std::string word;
  std::string sentence;  // after the backend's name
  std::string remedy;
};
Condition condition_of(const BackendRow& backend);

}  // namespace sluice::control
