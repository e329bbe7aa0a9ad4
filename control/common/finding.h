// SPDX-License-Identifier: BSD-3-Clause
// What is wrong, how bad it is, and what mends it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sluice::control {

enum class Level : uint8_t { kOk, kWarn, kBad };
constexpr std::string_view to_string(Level level) {
  constexpr std::string_view kNames[] = {"ok", "warn", "bad"};
  return kNames[static_cast<size_t>(level)];
}

struct Finding {
  Level level;
  std::string what;
  std::string mend;
};

// One finding of `sluicectl doctor`.
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
