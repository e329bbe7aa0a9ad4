// SPDX-License-Identifier: BSD-3-Clause
// The configuration as it may be given away: without what may hold a password.
//
// What a health check runs, sends and expects is left out (kSecretKeys), and so are all comments.
#pragma once

#include <string>
#include <string_view>

namespace sluice::control {

// What stands in the place of each value that is left out.
inline constexpr std::string_view kLeftOut = "(left out)";

// The text laid out anew, a value for each key that it has. Of a text that is no TOML: one comment
// that says so.
std::string without_secrets(std::string_view text);

}  // namespace sluice::control
