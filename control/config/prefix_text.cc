// SPDX-License-Identifier: BSD-3-Clause
// An address alone is a network of one.
#include "control/config/prefix_text.h"

#include <fmt/format.h>

#include "control/config/address_text.h"

namespace sluice::control {

std::optional<IpPrefix> parse_source_prefix(std::string_view text, std::string& why) {
  if (const auto ip = parse_ip(text)) {
    return IpPrefix{*ip, static_cast<uint8_t>(ip->bit_count())};
  }
  const auto prefix = parse_prefix(text);
  if (!prefix) {
    why = near_miss(text);
    return std::nullopt;
  }
  if (*prefix == prefix->network()) return prefix;
  why = fmt::format("host bits are set: the network is \"{}\"", to_string(prefix->network()));
  return std::nullopt;
}

}  // namespace sluice::control
