// SPDX-License-Identifier: BSD-3-Clause
// Changes weights in the text of a configuration and leaves every other byte as it is.
//
// toml11 says where each value stands. A weight that is there is replaced in its place; one that is
// missing is put behind the backend's address: on a line of its own, or in the same inline table.
// Whatever the text looks like, the result is read again: it must mean what was wanted, or nothing
// is changed.
#pragma once

#include <string>

#include "control/common/errors.h"
#include "control/config/config.h"

namespace sluice::control {

// `wanted` differs from what `text` says in weights of backends at most. Throws EditError.
std::string edit_weights(const std::string& text, const Config& wanted);

}  // namespace sluice::control
