// SPDX-License-Identifier: BSD-3-Clause
// Is all well, and if not, where not: one list of findings, worst first, from one status.
//
// Pure. The page, `sluicectl status` and `sluicectl top` show the same list.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/common/finding.h"
#include "control/daemon/status/status.h"

namespace sluice::control {

// Judges every row, which then says how bad it is, why in a word, and what to do about it; makes a
// list of what there is to say. Rows are painted, the list is read out: nobody else decides.
std::vector<Finding> judge(Status& status);

// Too few are left, or soon will be.
bool ports_are_short(const PoolSumRow& pool);
bool flows_are_short(const WorkerRow& worker);

// How much a drop of this name means: kOk where other people's traffic explains it.
Severity severity_of_drop(std::string_view reason);
extern const size_t kTroubleDropCount;  // how many are not kOk; all must exist

}  // namespace sluice::control
