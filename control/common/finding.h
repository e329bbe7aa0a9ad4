// SPDX-License-Identifier: BSD-3-Clause
// What is wrong, how bad it is, and the remedy.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "control/common/severity.h"

namespace sluice::control {

struct Finding {
  Severity severity;
  std::string what;
  std::string remedy;
};

// One finding of `sluicectl doctor`.
struct Diagnosis {
  std::string area;  // "hugepages", "nic", ...
  Severity severity;
  std::string what;
  std::string remedy;  // a command or a setting; empty when all is well
};

// With the old keys beside the new ones.
nlohmann::json to_json_row(const Finding& item);
nlohmann::json to_json_row(const Diagnosis& item);
// What a row of findings says in either version; the words of a later one as they are.
Severity severity_field(const nlohmann::json& row);  // kOk where it says nothing we know
std::string severity_text(const nlohmann::json& row);
std::string remedy_text(const nlohmann::json& row);  // empty where there is none
// What of a status has `severity` and `findings`: itself, of an older sluice its `verdict`, null
// before the first second is over.
const nlohmann::json& judgement_of(const nlohmann::json& status);

}  // namespace sluice::control
