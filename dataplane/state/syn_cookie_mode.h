// SPDX-License-Identifier: BSD-3-Clause
// When a service answers SYNs itself (stage/syn_cookies.h).
#pragma once

#include <cstdint>

namespace sluice {

enum class SynCookieMode : uint8_t { kNever, kAuto, kAlways };

}  // namespace sluice
