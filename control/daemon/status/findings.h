// SPDX-License-Identifier: BSD-3-Clause
// Is all well, and if not, where not: one list of findings, worst first, from one status.
//
// Pure. The page, `sluicectl status` and `sluicectl top` show the same list.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/common/finding.h"

namespace sluice::control {

// `status` is what StatusBoard puts together (status.h).
std::vector<Finding> judge(const nlohmann::json& status);

// Of findings, worst first.
Severity worst_of(const std::vector<Finding>& findings);
// Into `severity` and `findings`; for this version into `verdict` too, which was both of them.
void put_findings(nlohmann::json& status, const std::vector<Finding>& findings);

// Whether the verdict complains of such a row.
bool ports_are_short(const nlohmann::json& pool);
bool flows_are_short(const nlohmann::json& worker);
// How such a row is, for whoever paints it.
Severity severity_of_pool(const nlohmann::json& pool);
Severity severity_of_service(const nlohmann::json& service);

// How much a drop of this name means: kOk where other people's traffic explains it.
Severity severity_of_drop(std::string_view reason);
extern const size_t kTroubleDropCount;  // how many are not kOk; all must exist

}  // namespace sluice::control
