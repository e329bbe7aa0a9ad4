// SPDX-License-Identifier: BSD-3-Clause
// What operators have set while Sluice runs: weights and states of backends, and the drain of all.
//
// An override belongs to a backend by its identity (its service's VIP and its address) and stands
// over the configuration until it is cleared, dropped by a reload, or saved into the file. With
// state.keep it outlives the process (api/control_keeper.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/common/enum_words.h"
#include "control/config/config.h"
#include "control/daemon/core/health_view.h"
#include "control/daemon/core/identities.h"

namespace sluice::control {

enum class AdminState : uint8_t {
  kAuto,   // weight and health decide
  kUp,     // the weight alone: whatever its health check says
  kDrain,  // takes no new flow, the ones it has go on
  kDown,   // out of order: no new flow either, and the ones it had may have been reset
};

// What an operator may ask for; kAuto is that nobody did.
template <>
inline constexpr std::array kWordsOf<AdminState> = {EnumWord{"up", AdminState::kUp},
                                                    EnumWord{"drain", AdminState::kDrain},
                                                    EnumWord{"down", AdminState::kDown}};

struct Override {
  std::optional<uint32_t> weight;
  AdminState state = AdminState::kAuto;

  bool empty() const { return !weight && state == AdminState::kAuto; }
  bool operator==(const Override&) const = default;
};

using Overrides = std::map<BackendKey, Override>;

// All that stands over the configuration.
struct RuntimeState {
  Overrides overrides;
  HealthMap health;                // of the backends that are checked; their checks write it
  std::optional<OnRefusal> drain;  // of the whole balancer: what clients' SYNs get
};

// nullptr when there is none.
const Override* find_override(const Overrides& overrides, const BackendKey& key);

// The weight that the file and the operator want for a backend; its health is another matter
// (weights.h).
uint32_t effective_weight(uint32_t configured, const Override* over);

// "weight 5, drain"; "-" without one.
std::string to_string(const Override& over);

// Those whose backend is configured.
Overrides still_configured(const Overrides& overrides, const Config& config);

// What of them a file can say, and what it cannot: `up`, over a health check.
Overrides for_the_file(const Overrides& overrides);
Overrides not_for_the_file(const Overrides& overrides);

// The configuration with the weights that the overrides amount to, for the file.
Config with_weights(const Config& config, const Overrides& overrides);

// "web 10.2.0.10:80 drain" for each override, in the order of the configuration.
std::vector<std::string> list_overrides(const Overrides& overrides, const Config& config);

}  // namespace sluice::control
