// SPDX-License-Identifier: BSD-3-Clause
// A backend beside the others of its service: which one is slow, which one is silent?
//
// No number is too long or too little by itself: what the others need is the measure. Pure, on the
// status's rows of backends.
#pragma once

#include <string>
#include <vector>

#include "control/common/status_rows.h"

namespace sluice::control {

// Sets in each row, from its rates (rates.h): handshake_others_ms and check_others_ms, the medians
// of the service's other backends that have such a time, nothing where none has; others_talk,
// whether one of them sends more than bare acknowledgements.
void add_outliers(std::vector<BackendRow>& backends);

// "needs 52ms for a handshake, the other backends 0.40ms"; empty where it is not much slower.
std::string slowness_of(const BackendRow& backend);
// Its kernel takes connections, clients ask, and no payload comes back, though that of others does.
bool is_silent(const BackendRow& backend);

}  // namespace sluice::control
