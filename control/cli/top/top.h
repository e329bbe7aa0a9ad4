// SPDX-License-Identifier: BSD-3-Clause
// `sluicectl top`: the status on a terminal, once a second, until q.
#pragma once

#include <string>

namespace sluice::control {

// Throws ApiError when there is no terminal, or nobody answers to begin with.
void run_top(const std::string& socket_path);

}  // namespace sluice::control
