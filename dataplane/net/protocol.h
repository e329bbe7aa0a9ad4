// SPDX-License-Identifier: BSD-3-Clause
// What is carried over IP, as far as services go by it.
#pragma once

#include <cstdint>

namespace sluice::net {

enum class Protocol : uint8_t { kTcp, kUdp };

}  // namespace sluice::net
