// SPDX-License-Identifier: BSD-3-Clause
// Counts the lines of the text that toml11 keeps beside its values.
#include "control/config/line_index.h"

#include <algorithm>
#include <typeinfo>

namespace sluice::control {

uint32_t LineIndex::line_of(const toml::value& value) {
  const toml::detail::region_base* base = toml::detail::get_region(value);
  if (base == nullptr || typeid(*base) != typeid(toml::detail::region)) return 1;
  const auto* region = static_cast<const toml::detail::region*>(base);
  if (region->begin() == region->end()) return 1;
  if (const char* text = &*region->begin(); text != text_) {
    text_ = text;
    begins_ = {0};
    for (auto at = region->begin(); (at = std::find(at, region->end(), '\n')) != region->end();) {
      begins_.push_back(static_cast<size_t>(++at - region->begin()));
    }
  }
  const auto offset = static_cast<size_t>(region->first() - region->begin());
  return static_cast<uint32_t>(std::ranges::upper_bound(begins_, offset) - begins_.begin());
}

}  // namespace sluice::control
