// SPDX-License-Identifier: BSD-3-Clause
// What is wrong, how bad it is, and the remedy.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice::control {

enum class Severity : uint8_t { kOk, kWarning, kCritical };
constexpr std::string_view to_string(Severity level) {
  constexpr std::string_view kNames[] = {"ok", "warn", "bad"};
  return kNames[static_cast<size_t>(level)];
}

struct Finding {
  Severity level;
  std::string what;
  std::string remedy;
};

// One finding of `sluicectl doctor`.
struct Diagnosis {
  std::string area;  // "hugepages", "nic", ...
  Severity level;
  std::string what;
  std::string remedy;  // a command or a setting; empty when all is well
};

inline nlohmann::json to_json_row(const Diagnosis& item) {
  return {{"area", item.area},
          {"level", to_string(item.level)},
          {"what", item.what},
          {"mend", item.remedy}};
}

}  // namespace sluice::control
