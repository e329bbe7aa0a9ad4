// SPDX-License-Identifier: BSD-3-Clause
// Passive health: what the handshakes of clients say about a backend.
//
// Workers count what became of each backend's handshakes; this looks at the differences from one
// look to the next. A look in which no more fail than succeed ends the row.
//
// Over UDP silence is no failure: anybody can send what a server does not answer, and five such
// datagrams would take a backend out.
#pragma once

#include <cstdint>

#include "control/daemon/core/handshake_counts.h"
#include "dataplane/net/protocol.h"

namespace sluice::control {

class PassiveCheck {
 public:
  static constexpr uint64_t kRowMax = 5;  // so many in a row, and it is down

  PassiveCheck(net::Protocol protocol, const HandshakeCounts& totals)
      : silence_counts_(protocol == net::Protocol::kTcp), last_(totals) {}

  // Takes the totals; how many have failed since the last look.
  uint64_t look(const HandshakeCounts& totals);
  // Failures in a row by now, and what they were.
  uint64_t row_count() const { return row_.refused + row_.unanswered; }
  const HandshakeCounts& row() const { return row_; }
  void forget() { row_ = {}; }

 private:
  bool silence_counts_;
  HandshakeCounts last_;
  HandshakeCounts row_;
};

}  // namespace sluice::control
