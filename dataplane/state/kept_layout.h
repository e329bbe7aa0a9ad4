// SPDX-License-Identifier: BSD-3-Clause
// A number for how the records that outlive a process lie in memory. Another number: what the one
// process has written the other cannot read.
#pragma once

#include <cstdint>

namespace sluice {

/// Of flows, what stands beside them, chunks of ports and names of paths. It follows from the
/// records themselves: where each field of an example lies. A field that is added to Flow is to be
/// added to the example.
uint32_t records_layout();

}  // namespace sluice
