// SPDX-License-Identifier: BSD-3-Clause
// What a run is measured by.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>

#include "tests/simulation/connection.h"

namespace sluice::sim {

struct Figures {
  uint64_t started = 0;
  uint64_t opened = 0;
  uint64_t refused = 0;     // by the balancer's RST
  uint64_t not_opened = 0;  // all others that should have been
  uint64_t waited = 0;      // opened by the client's own second SYN
  std::array<uint64_t, kCloseModes> done_by_mode = {};
  uint64_t reset = 0;  // ended by an RST that nobody planned
  uint64_t gave_up = 0;
  uint64_t syns_in_time_wait = 0;  // SYNs that met TIME_WAIT at a backend
  uint64_t rejected = 0;           // of those, not taken
  uint64_t rejected_silently = 0;
  uint64_t on_live_socket = 0;  // SYNs that met a half-open connection
  uint64_t healed = 0;          // rejected, and open without a second SYN of the client
  uint64_t seq_fixes = 0;
  uint64_t ts_fixes = 0;
  uint64_t packets = 0;      // that left the balancer
  uint64_t path_errors = 0;  // of those, that say a packet is too large
  uint64_t violations = 0;
  uint64_t bare_acks = 0;  // clients that saw one as the answer to their SYN
  uint64_t restarts = 0;
  uint64_t kills = 0;
  uint64_t kills_tried = 0;  // instants at which there could have been one
  uint64_t reloads = 0;
  uint64_t spoofed = 0;         // SYNs of a flood that were passed on
  uint64_t unfinished_max = 0;  // handshakes at a time, in a flood
  uint64_t open_max = 0;        // connections of one client at a time, where that is limited
  uint64_t slowest_us = 0;      // until a real client was connected, where there is a flood

  void print(std::FILE* file) const;
};

}  // namespace sluice::sim
