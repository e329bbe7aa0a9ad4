// SPDX-License-Identifier: BSD-3-Clause
// The one table of old names.
#include "control/common/row_aliases.h"

#include <algorithm>
#include <iterator>

namespace sluice::control {
namespace {

struct RowAlias {
  std::string_view name;
  const char* old_name;
};

constexpr RowAlias kRowAliases[] = {
    {"severity", "level"},  // in the words `ok`, `warn`, `bad`
    {"remedy", "mend"},
    {"check_error", "health_hindrance"},
    {"available", "free"},
    {"time_wait", "resting"},
    {"reuse_available", "reuse_clean"},
    {"reuse_rebased", "reuse_fitted"},
    {"tsval_adjusts", "ts_fixes"},
    {"sequence_adjusts", "seq_fixes"},
};

}  // namespace

const char* old_name_of(std::string_view name) {
  const auto found = std::ranges::find(kRowAliases, name, &RowAlias::name);
  return found == std::end(kRowAliases) ? nullptr : found->old_name;
}

}  // namespace sluice::control
