// SPDX-License-Identifier: BSD-3-Clause
// What is believed of the health of all backends, as weights and views want it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "control/common/clock.h"
#include "control/common/enum_words.h"
#include "control/daemon/core/keys.h"

namespace sluice::control {

enum class Health : uint8_t { kUnchecked, kUp, kStarting, kDown };
template <>
inline constexpr std::array kWordsOf<Health> = {
    EnumWord{"unchecked", Health::kUnchecked}, EnumWord{"up", Health::kUp},
    EnumWord{"starting", Health::kStarting}, EnumWord{"down", Health::kDown}};

struct HealthView {
  Health health = Health::kUnchecked;
  bool takes_flows = true;
  uint32_t share_percent = 100;  // of its weight that it gets for now: 5 to 100, in steps of 5
  // Why the last bad check was bad; while it is down there is always one. Empty where it is not
  // down and the last check was good.
  std::string reason;
  std::string check_error;  // why it cannot be checked; empty when it can
  SteadyTime since{};
  uint64_t checks_good = 0;
  uint64_t checks_bad = 0;
  std::chrono::milliseconds last_check{};                // how long the last one took
  std::optional<std::chrono::milliseconds> usual_check;  // the median of the last few good ones
};
using HealthMap = std::map<BackendKey, HealthView>;

}  // namespace sluice::control
