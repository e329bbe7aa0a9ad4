// SPDX-License-Identifier: BSD-3-Clause
// What the simulator asks of whatever stands between clients and backends: frames in, frames out,
// virtual time, and the accidents of a balancer's life.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/simulation/clock.h"
#include "tests/simulation/segment.h"

namespace sluice::sim {

enum class Side : uint8_t { client, backend };

using FrameView = std::span<const uint8_t>;

class Wire {
 public:
  virtual void emit(Side side, FrameView frame) = 0;
  // Of a balancer that was killed before it could send it.
  virtual void lose(Side /*side*/, FrameView /*frame*/) {}

 protected:
  ~Wire() = default;
};

// Where everything is; fixed for a run.
struct Site {
  Address vip;
  std::vector<Address> backends;
  std::vector<uint32_t> local_ips;
  uint16_t port_first = 1024;
  uint16_t port_last = 65535;
  // The balancer's own addresses on its two interfaces.
  uint32_t client_side_ip = 0;
  uint32_t backend_side_ip = 0;
  uint32_t gateway_ip = 0;  // on the clients' side; 0: there is none
};

// The balancer's own account, for the checks at the end.
struct Account {
  bool known = false;
  uint64_t flows = 0;
  uint64_t ports_in_use = 0;
  uint64_t ports_total = 0;
  uint64_t ports_free = 0;      // free and resting
  uint64_t buffers = 0;         // packets that it holds
  uint64_t clients_active = 0;  // connections that it counts, of all clients
  int64_t unaccounted = 0;      // packets that it lost, or counted twice
  uint64_t heals = 0;
  uint64_t ts_fixes = 0;
  uint64_t seq_fixes = 0;
  uint64_t exhausted = 0;
  uint64_t kills_tried = 0;  // instants at which it could have been killed, and was looked at
  std::string broken;        // what did not fit together after one of them
};

class Balancer {
 public:
  virtual ~Balancer() = default;

  virtual void receive(Side side, std::span<const FrameView> burst, TimeUs now) = 0;
  virtual void housekeeping(TimeUs /*now*/) {}
  // All state lost, as after SIGKILL.
  virtual void restart(TimeUs /*now*/) {}
  // Killed in the middle of a burst, so many stores into its packet number `at`, and started again
  // on what it had in memory that outlives it. What it had not sent it does not send.
  virtual void kill(Side side, std::span<const FrameView> burst, size_t /*at*/, uint64_t /*stores*/,
                    TimeUs now) {
    receive(side, burst, now);
    restart(now);
  }
  // The same in the middle of what it does without packets.
  virtual void kill_idle(uint64_t /*stores*/, TimeUs now) { restart(now); }
  // A backend takes no new connections any more, or does again.
  virtual void set_down(size_t /*backend*/, bool /*down*/) {}
  // The same services under a new configuration; nothing lost.
  virtual void reload(TimeUs /*now*/) {}
  virtual Account account() const { return {}; }
  virtual std::string description() const = 0;
};

}  // namespace sluice::sim
