// SPDX-License-Identifier: BSD-3-Clause
// What workers have counted of a backend's handshakes.
#pragma once

#include <cstdint>

namespace sluice::control {

struct HandshakeCounts {
  uint64_t answered = 0;    // SYN-ACKs
  uint64_t refused = 0;     // RSTs to a SYN
  uint64_t unanswered = 0;  // SYNs that a client had to send again
};

}  // namespace sluice::control
