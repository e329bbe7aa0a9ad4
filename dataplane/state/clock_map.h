// SPDX-License-Identifier: BSD-3-Clause
// One flow's timestamps on the balancer's clock, for `tcp_timestamps = "rewrite"`.
//
// Backends that judge timestamps per host (Linux before 4.12 with tcp_tw_recycle = 1) need all
// connections of a local address on one clock. Each TSval of the client becomes the balancer's time
// at which it was first seen; TSecr goes back to the client's clock along the line through two
// known points, the flow's first and its latest, so any rate of the client's clock comes out right
// (RFC 7323, section 4.3: an echo may be older than exact, never newer).
#pragma once

#include <algorithm>
#include <cstdint>

#include "dataplane/net/serial.h"

namespace sluice {

class ClockMap {
 public:
  ClockMap() = default;

  void start(uint32_t client, uint32_t ours) { *this = {client, ours, client, ours}; }

  /// The client's TSval, seen at `now` of our clock, as the backend gets it: never falling while
  /// the client's does not fall.
  uint32_t to_ours(uint32_t client, uint32_t now) {
    if (net::serial_after(client, latest_client_)) {
      latest_client_ = client;
      latest_ours_ = net::serial_max(latest_ours_, now);
      keep_in_range();
      return latest_ours_;
    }
    const uint64_t age = latest_client_ - client;  // a late or repeated segment
    return latest_ours_ - scaled(age, latest_ours_ - first_ours_, latest_client_ - first_client_);
  }

  /// A TSecr of the backend as the client gets it.
  uint32_t to_client(uint32_t ours) const {
    if (net::serial_at_or_after(ours, latest_ours_)) return latest_client_;
    const uint64_t age = latest_ours_ - ours;
    return latest_client_ - scaled(age, latest_client_ - first_client_, latest_ours_ - first_ours_);
  }

 private:
  ClockMap(uint32_t first_client, uint32_t first_ours, uint32_t latest_client, uint32_t latest_ours)
      : first_client_(first_client),
        first_ours_(first_ours),
        latest_client_(latest_client),
        latest_ours_(latest_ours) {}

  /// age * to / from, rounded up, within the known line.
  static uint32_t scaled(uint64_t age, uint32_t to, uint32_t from) {
    if (from == 0) return 0;
    return static_cast<uint32_t>(std::min<uint64_t>((age * to + from - 1) / from, to));
  }

  /// Long flows: the first point moves up the line before differences near 2^31.
  void keep_in_range() {
    constexpr uint32_t kFar = uint32_t{1} << 30;
    if (latest_client_ - first_client_ < kFar && latest_ours_ - first_ours_ < kFar) return;
    first_client_ += (latest_client_ - first_client_) / 2;
    first_ours_ += (latest_ours_ - first_ours_) / 2;
  }

  uint32_t first_client_ = 0;
  uint32_t first_ours_ = 0;
  uint32_t latest_client_ = 0;
  uint32_t latest_ours_ = 0;
};

}  // namespace sluice
