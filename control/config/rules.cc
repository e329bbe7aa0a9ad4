// SPDX-License-Identifier: BSD-3-Clause
// What was read, and what was not.
#include "control/config/rules.h"

namespace sluice::control {

Rules::Rules(const Config& config, Reader& reader)
    : config_(config),
      reader_(reader),
      topology_was_read_(!any_failed("interface", config_.interfaces.size(), "addresses") &&
                         !any_failed("route", config_.routes.size(), "to")) {}

bool Rules::any_failed(const std::string& list, size_t count, const std::string& key) const {
  if (reader_.places.failed(list)) return true;
  for (size_t i = 0; i < count; ++i) {
    if (reader_.places.failed(fmt::format("{}[{}].{}", list, i, key))) return true;
  }
  return false;
}

}  // namespace sluice::control
