// SPDX-License-Identifier: BSD-3-Clause
// Notices packets that a device took and did not send.
//
// What workers have handed over is compared with what the device says that it has sent or given up,
// a second later: a packet may wait that long in a transmit ring, and no longer. It finds dead
// queues, paused links and virtual functions whose packets the card refuses, whoever the driver is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace sluice::control {

class TxWatch {
 public:
  static constexpr size_t kSamples = 10;

  // Of one device, since its start.
  struct Counts {
    uint64_t accepted = 0;  // of our packets, by its queues
    uint64_t finished = 0;  // sent, or counted as an error
  };
  struct Loss {
    uint64_t packets = 0;  // of the last kSamples seconds
    double percent = 0;    // of what was accepted then
  };

  // Once a second, with a row for each interface.
  void look(const std::vector<Counts>& now);
  Loss loss(size_t interface) const;

 private:
  std::vector<std::deque<Counts>> seen_;  // by interface; the newest last
};

}  // namespace sluice::control
