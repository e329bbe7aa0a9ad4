// SPDX-License-Identifier: BSD-3-Clause
// The walk over options.
#include "dataplane/net/ipv4_options.h"

#include <cstddef>

namespace sluice::net {

bool has_source_route_left(const Ipv4Header& ip) {
  constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kLoose = 131, kStrict = 137;
  constexpr ptrdiff_t kRouteHeader = 3;  // type, length, pointer (RFC 791, section 3.1)
  const auto* option = reinterpret_cast<const uint8_t*>(&ip + 1);
  const uint8_t* end = option - sizeof ip + ip.header_length();
  while (option < end && *option != kEndOfOptions) {
    const ptrdiff_t length = *option == kNoOperation ? 1 : end - option < 2 ? 0 : option[1];
    if (length < 1 || (length < 2 && *option != kNoOperation) || length > end - option) {
      return false;  // malformed from here on
    }
    if ((*option == kLoose || *option == kStrict) && length >= kRouteHeader) {
      return option[2] <= length;  // the pointer is behind the route once all of it was taken
    }
    option += length;
  }
  return false;
}

}  // namespace sluice::net
