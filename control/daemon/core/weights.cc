// SPDX-License-Identifier: BSD-3-Clause
// Wanted weights, cut down by health.
#include "control/daemon/core/weights.h"

#include <algorithm>

namespace sluice::control {
namespace {

constexpr uint32_t kWhole = 100;  // percent

struct Standing {
  uint32_t wanted;                  // by file and operator
  bool healthy = true;              // or not checked, or up by order
  uint32_t share_percent = kWhole;  // of a slow start
};

Standing standing_of(const BackendConfig& backend, const BackendKey& key,
                     const RuntimeState& runtime) {
  const Override* over = find_override(runtime.overrides, key);
  const bool forced = over != nullptr && over->state == AdminState::kUp;
  Standing standing{effective_weight(backend.weight, over)};
  const auto found = runtime.health.find(key);
  if (forced || found == runtime.health.end()) return standing;
  standing.healthy = found->second.takes_flows;
  standing.share_percent = found->second.share_percent;
  return standing;
}

}  // namespace

ServiceWeights weights_of(const ServiceConfig& service, const RuntimeState& runtime) {
  std::vector<Standing> backends;
  for (const BackendConfig& backend : service.backends) {
    backends.push_back(standing_of(backend, key_of(service, backend), runtime));
  }
  const auto is_wanted = [](const Standing& backend) { return backend.wanted > 0; };
  ServiceWeights out;
  out.all_down = service.health_check && std::ranges::any_of(backends, is_wanted) &&
                 std::ranges::none_of(backends, [&](const Standing& backend) {
                   return is_wanted(backend) && backend.healthy;
                 });
  const bool use_all = out.all_down && service.health_check->all_down == AllDown::kUseAll;
  const bool any_starts = std::ranges::any_of(backends, [](const Standing& backend) {
    return backend.healthy && backend.share_percent < kWhole;
  });
  for (const Standing& backend : backends) {
    uint32_t weight = backend.healthy || use_all ? backend.wanted : 0;
    if (any_starts && weight > 0) weight *= backend.share_percent;
    out.weights.push_back(weight);
  }
  return out;
}

AllWeights weights_of(const Config& config, const RuntimeState& runtime) {
  AllWeights all;
  for (const ServiceConfig& service : config.services) {
    all[key_of(service)] = weights_of(service, runtime);
  }
  return all;
}

}  // namespace sluice::control
