// SPDX-License-Identifier: BSD-3-Clause
// Where the TCP options that Sluice looks at stand in a segment. Nothing is ever removed or
// reordered.
//
// Offsets count from the start of the TCP header; 0 means absent. Options may be unaligned, so
// values are read and written through be32, which has alignment 1.
#pragma once

#include <cstdint>

#include "dataplane/net/headers.h"

namespace sluice::net {

struct TcpOptions {
  uint8_t timestamps_offset = 0;  // of TSval; TSecr follows (RFC 7323, section 3)
  uint8_t sack_offset = 0;        // of the first block's left edge (RFC 2018)
  uint8_t sack_edge_count = 0;    // two edges a block
  uint8_t window_scale = 0;       // RFC 7323, section 2; at most 14; only meaningful on SYN
  bool has_window_scale = false;
  bool sack_permitted = false;  // RFC 2018, section 2; only meaningful on SYN
  uint8_t mss_offset = 0;       // RFC 9293, section 3.7.1; only meaningful on SYN

  bool has_timestamps() const { return timestamps_offset != 0; }
};

/// Walks the whole option list. A malformed list ends the walk: what came before it counts, as in
/// the kernel's tcp_parse_options().
TcpOptions parse_tcp_options(const TcpHeader& tcp);

/// Offset of TSval, or 0. Most segments carry just NOP NOP TS, which costs one comparison.
inline uint8_t find_timestamps(const TcpHeader& tcp) {
  constexpr be32 kNopNopTimestamps = be32::from_host(0x0101080a);
  constexpr uint16_t kLength = sizeof(TcpHeader) + 12;
  if (tcp.header_length() == kLength) [[likely]] {
    if (*reinterpret_cast<const be32*>(&tcp + 1) == kNopNopTimestamps) [[likely]] {
      return sizeof(TcpHeader) + 4;
    }
  }
  return tcp.header_length() == sizeof(TcpHeader) ? 0 : parse_tcp_options(tcp).timestamps_offset;
}

inline be32& tcp_word_at(TcpHeader& tcp, uint8_t offset) {
  return *reinterpret_cast<be32*>(reinterpret_cast<uint8_t*>(&tcp) + offset);
}
inline be32 tcp_word_at(const TcpHeader& tcp, uint8_t offset) {
  return *reinterpret_cast<const be32*>(reinterpret_cast<const uint8_t*>(&tcp) + offset);
}

}  // namespace sluice::net
