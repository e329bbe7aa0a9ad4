// SPDX-License-Identifier: BSD-3-Clause
// What was read, and what was not.
#include "control/config/rules.h"

namespace sluice::control {

Rules::Rules(const Config& config, Reader& reader)
    : config_(config),
      reader_(reader),
      topology_was_read_(!any_failed("interface", config_.interfaces.size(), "addresses") &&
                         !any_failed("route", config_.routes.size(), "to")) {}

void Rules::once(Seen& seen, const std::string& path, const std::string& shown) {
  if (!was_read(path)) return;
  auto [first, is_new] = seen.emplace(shown, path);
  if (is_new) return;
  problem(path, fmt::format("{} a second time", shown),
          fmt::format("one that line {} does not have already",
                      reader_.places.line(first->second).value_or(0)));
}

bool Rules::any_failed(const std::string& list, size_t count, const std::string& key) const {
  if (reader_.places.failed(list)) return true;
  for (size_t i = 0; i < count; ++i) {
    if (reader_.places.failed(fmt::format("{}[{}].{}", list, i, key))) return true;
  }
  return false;
}

}  // namespace sluice::control
