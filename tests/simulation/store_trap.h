// SPDX-License-Identifier: BSD-3-Clause
// Runs a piece of code and looks at some memory after each instruction that writes to it: what a
// process leaves behind when it is killed between any two of these.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace sluice::sim {

// `memory` is whole pages that may be read and written, and `run` has nobody else write to them.
// The same code and data give the same stores: what is found can be found again. `look` is called
// from a signal's handler, and must not write there either.
void run_store_by_store(std::span<std::byte> memory, const std::function<void()>& look,
                        const std::function<void()>& run);

}  // namespace sluice::sim
