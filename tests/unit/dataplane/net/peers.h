// SPDX-License-Identifier: BSD-3-Clause
// Who talks to whom in the tests of pure bytes.
#pragma once

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::test {

inline constexpr net::Ipv4Endpoint kClient = endpoint(ip4(10, 1, 0, 1), 40000);
inline constexpr net::Ipv4Endpoint kVip = endpoint(ip4(10, 3, 0, 1), 80);
inline constexpr net::Ipv4Endpoint kLocal = endpoint(ip4(10, 2, 0, 1), 1024);
inline constexpr net::Ipv4Endpoint kBackend = endpoint(ip4(10, 2, 0, 10), 8080);

}  // namespace sluice::test
