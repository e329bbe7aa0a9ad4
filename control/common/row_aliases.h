// SPDX-License-Identifier: BSD-3-Clause
// Names that fields of JSON had in the version before. For this version they stand beside the new
// ones, so that scripts go on, and sluicectl understands an older sluice by them.
#pragma once

#include <string_view>

namespace sluice::control {

// The old name of a field; nullptr where it has none.
const char* old_name_of(std::string_view name);

}  // namespace sluice::control
