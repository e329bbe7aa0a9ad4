// SPDX-License-Identifier: BSD-3-Clause
// Overrides as values.
#include "control/daemon/core/overrides.h"

#include <fmt/format.h>

namespace sluice::control {

const Override* find_override(const Overrides& overrides, const BackendKey& key) {
  const auto found = overrides.find(key);
  return found == overrides.end() ? nullptr : &found->second;
}

uint32_t effective_weight(uint32_t configured, const Override* over) {
  if (over == nullptr) return configured;
  if (over->state == AdminState::kDrain || over->state == AdminState::kDown) return 0;
  return over->weight.value_or(configured);
}

std::string to_string(const Override& over) {
  std::string out = over.weight ? fmt::format("weight {}", *over.weight) : "";
  if (over.state == AdminState::kAuto) return out.empty() ? "-" : out;
  if (!out.empty()) out += ", ";
  return out.append(word_of(over.state));
}

Overrides for_the_file(const Overrides& overrides) {
  Overrides rest = overrides;
  for (auto& [key, over] : rest) {
    if (over.state == AdminState::kUp) over.state = AdminState::kAuto;
  }
  std::erase_if(rest, [](const auto& entry) { return entry.second.empty(); });
  return rest;
}

Overrides not_for_the_file(const Overrides& overrides) {
  Overrides rest;
  for (const auto& [key, over] : overrides) {
    if (over.state == AdminState::kUp) rest[key] = {.weight = {}, .state = over.state};
  }
  return rest;
}

Overrides still_configured(const Overrides& overrides, const Config& config) {
  Overrides kept;
  for (const ServiceConfig& service : config.services) {
    for (const BackendConfig& backend : service.backends) {
      const BackendKey key = key_of(service, backend);
      if (const Override* over = find_override(overrides, key)) kept[key] = *over;
    }
  }
  return kept;
}

Config with_weights(const Config& config, const Overrides& overrides) {
  Config next = config;
  for (ServiceConfig& service : next.services) {
    for (BackendConfig& backend : service.backends) {
      const Override* over = find_override(overrides, key_of(service, backend));
      backend.weight = effective_weight(backend.weight, over);
    }
  }
  return next;
}

std::vector<std::string> list_overrides(const Overrides& overrides, const Config& config) {
  std::vector<std::string> list;
  for (const ServiceConfig& service : config.services) {
    for (const BackendConfig& backend : service.backends) {
      const Override* over = find_override(overrides, key_of(service, backend));
      if (over == nullptr) continue;
      list.push_back(
          fmt::format("{} {} {}", service.name, to_string(backend.address), to_string(*over)));
    }
  }
  return list;
}

}  // namespace sluice::control
