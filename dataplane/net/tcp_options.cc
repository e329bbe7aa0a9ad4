// SPDX-License-Identifier: BSD-3-Clause
// The walk over a TCP option list.
#include "dataplane/net/tcp_options.h"

#include <algorithm>

namespace sluice::net {
namespace {

enum : uint8_t {
  kEnd = 0,
  kNop = 1,
  kMaximumSegmentSize = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
};

constexpr uint8_t kWindowScaleMax = 14;  // RFC 7323, section 2.3

}  // namespace

TcpOptions parse_tcp_options(const TcpHeader& tcp) {
  TcpOptions found;
  const auto* bytes = reinterpret_cast<const uint8_t*>(&tcp);
  const uint8_t end = static_cast<uint8_t>(tcp.header_length());
  uint8_t at = sizeof(TcpHeader);
  while (at < end && bytes[at] != kEnd) {
    if (bytes[at] == kNop) {
      ++at;
      continue;
    }
    if (end - at < 2) break;
    const uint8_t length = bytes[at + 1];
    if (length < 2 || length > end - at) break;
    const uint8_t value = static_cast<uint8_t>(at + 2);
    switch (bytes[at]) {
      case kTimestamps:
        if (length == 10) found.timestamps_offset = value;
        break;
      case kSack:
        if ((length - 2) % 8 == 0 && length > 2) {
          found.sack_offset = value;
          found.sack_edge_count = static_cast<uint8_t>((length - 2) / 4);
        }
        break;
      case kSackPermitted:
        found.sack_permitted = length == 2;
        break;
      case kMaximumSegmentSize:
        if (length == 4) found.mss_offset = value;
        break;
      case kWindowScale:
        if (length == 3) {
          found.has_window_scale = true;
          found.window_scale = std::min(bytes[value], kWindowScaleMax);
        }
        break;
      default:
        break;
    }
    at = static_cast<uint8_t>(at + length);
  }
  return found;
}

}  // namespace sluice::net
