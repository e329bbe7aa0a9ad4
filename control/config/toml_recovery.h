// SPDX-License-Identifier: BSD-3-Clause
// TOML text to a TOML value, going on after a line that cannot be read.
//
// toml11 stops at the first syntax error. So that a file shows all of its mistakes at once, the
// line is noted, put out of the way and the text is parsed again: `key = ...` becomes that key with
// the value kUnreadable (known, so that it is not called missing, and passed over), a header
// becomes the header of a table that nobody looks at, anything else becomes empty.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "control/config/config_problem.h"
#include "control/config/toml11.h"

namespace sluice::control {

// Of a text, in bytes. A thousand services with a hundred backends each are 5 MB.
inline constexpr size_t kTomlTextMax = 16 << 20;

// Nothing when even that did not make it readable; the problems say why.
std::optional<toml::value> parse_toml(std::string_view text, Problems& problems);

}  // namespace sluice::control
