// SPDX-License-Identifier: BSD-3-Clause
// Which way a packet of a flow goes.
#pragma once

#include <cstdint>

namespace sluice {

enum class Direction : uint8_t { kInbound, kOutbound };

}  // namespace sluice
