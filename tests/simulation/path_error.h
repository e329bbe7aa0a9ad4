// SPDX-License-Identifier: BSD-3-Clause
// What a router says of a packet that is too large for its next link (RFC 792, RFC 1191), and what
// a host makes of it. Written apart from dataplane/net, as segment.h is.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "tests/simulation/clock.h"
#include "tests/simulation/segment.h"

namespace sluice::sim {

struct PathError {
  uint32_t to = 0;   // host order
  uint16_t mtu = 0;  // of the next link
  Address source;    // of the packet that is quoted
  Address destination;
  uint32_t seq = 0;
  bool sums_up = false;  // the TCP checksum, where all of the packet is quoted
};

// False where a frame is none, or where a sum in it is wrong: its own, or the IPv4 header's that it
// quotes, which tells whether its sender knows the header again.
bool decode(std::span<const uint8_t> frame, PathError& error);

// What hosts remember of the ways to others: for a while, so that each has to be told again.
class PathMtus {
 public:
  void learn(const PathError& error, TimeUs now) {
    known_[way(error.source.ip, error.destination.ip)] = {error.mtu, now + kForUs};
  }
  uint16_t between(uint32_t local, uint32_t remote, TimeUs now) const {
    const auto known = known_.find(way(local, remote));
    return known == known_.end() || known->second.until <= now ? kMtuMax : known->second.mtu;
  }

 private:
  static constexpr TimeUs kForUs = 500 * kMillisecond;

  struct Known {
    uint16_t mtu;
    TimeUs until;
  };
  static uint64_t way(uint32_t local, uint32_t remote) { return uint64_t{local} << 32 | remote; }

  std::unordered_map<uint64_t, Known> known_;
};

}  // namespace sluice::sim
