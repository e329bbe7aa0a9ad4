// SPDX-License-Identifier: BSD-3-Clause
// One finding of `sluicectl doctor`: about what, how bad, and what mends it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/verdict.h"

namespace sluice::control {

struct Diagnosis {
  std::string area;  // "hugepages", "nic", ...
  Level level;
  std::string what;
  std::string mend;  // a command or a setting; empty when all is well
};

inline nlohmann::json to_json_row(const Diagnosis& item) {
  return {{"area", item.area},
          {"level", to_string(item.level)},
          {"what", item.what},
          {"mend", item.mend}};
}

}  // namespace sluice::control
