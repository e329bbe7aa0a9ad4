// SPDX-License-Identifier: BSD-3-Clause
// Datagrams as bytes and back, for the UDP simulation: written a second time, so that nothing of
// dataplane/net judges itself. Every payload names the client that it is from, or for.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sluice::sim {

struct Peer {
  uint32_t ip = 0;
  uint16_t port = 0;
  friend auto operator<=>(const Peer&, const Peer&) = default;
};

enum class Said : uint32_t { query, answer, spoofed };

struct Datagram {
  Peer from, to;
  Said said;
  Peer client;      // whose query it is, or whose answer
  uint32_t number;  // of the query
  bool has_checksum;
};

/// A frame to or from the balancer's port of this MAC.
std::vector<uint8_t> frame_of(const Datagram& datagram, const uint8_t* mac);

/// Nothing of what is no datagram of ours; `right` is whether its checksums are.
std::optional<Datagram> datagram_of(std::span<const uint8_t> frame, bool& right);

}  // namespace sluice::sim
