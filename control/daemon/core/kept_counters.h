// SPDX-License-Identifier: BSD-3-Clause
// What workers have counted, as text for the next process, which goes on counting from there.
//
// Counters that only grow, by their names and by what they are of; sums over workers. What is of
// now (flows, ports in use) the next process finds by itself.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "control/daemon/core/identities.h"
#include "dataplane/worker/worker.h"

namespace sluice::control {

using Workers = std::vector<std::unique_ptr<Worker>>;

nlohmann::json counters_of(const Workers& workers, const Identities& identities);

// Before any worker runs. What is of nothing that is configured is left out, and so are names that
// we do not know. Throws nlohmann::json::exception where it is no such text.
void add_counters(const Workers& workers, const Identities& identities,
                  const nlohmann::json& counters);

}  // namespace sluice::control
