// SPDX-License-Identifier: BSD-3-Clause
// A source or a network of sources as lists have it, of either family: "192.0.2.0/24", "192.0.2.7",
// "2001:db8::/32".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/config/ip_address.h"

namespace sluice::control {

inline constexpr std::string_view kPrefixExpected = "\"network/length\" or an address";

// Where it is none, `why` may say more.
std::optional<IpPrefix> parse_source_prefix(std::string_view text, std::string& why);

}  // namespace sluice::control
