// SPDX-License-Identifier: BSD-3-Clause
// The worlds that can be simulated, by name, and what may be expected in each.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tests/simulation/connection.h"
#include "tests/simulation/link.h"
#include "tests/simulation/time_wait.h"

namespace sluice::sim {

enum class Reuse : uint8_t { never, natural, rebase };

// The idle times the balancer is given; short, so that many of them pass in a run.
struct BalancerTimeouts {
  uint32_t syn_ms = 20'000;
  uint32_t established_ms = 40'000;
  uint32_t closing_ms = 20'000;
  uint32_t closed_ms = 1'000;
};

struct Scenario {
  std::string_view name;
  std::string_view about;

  LinkQuality client_link;
  LinkQuality backend_link;
  uint32_t users = 1'000;          // each opens its next connection when the last is done
  uint32_t pause_us = 2'000;       // up to this long after
  uint32_t clients = 3'000;        // addresses
  uint16_t client_ports = 28'000;  // few: a client comes again from the very same port
  uint8_t backends = 2;
  std::vector<Stack> stacks = {Stack::linux_};  // dealt to the backends in turn
  uint8_t local_ips = 1;
  uint16_t port_first = 1024;
  uint16_t port_last = 65535;
  // Weights of the ways to close. What is abandoned holds its port for long, so there is little.
  std::array<uint16_t, kCloseModes> modes = {400, 150, 100, 50, 50, 80, 80, 1, 1, 1, 1};
  uint32_t without_timestamps_ppm = 300'000;
  uint32_t without_sack_ppm = 300'000;
  uint16_t bytes_max = 600;  // each way
  uint32_t think_max_us = 3'000;
  uint32_t long_ppm = 2'000;   // so many think for up to 20 s
  bool close_numbers = false;  // everyone's sequences and clocks lie side by side, at the wrap
  uint32_t burst_us = 0;       // frames of this long reach the balancer as one burst
  TimeUs restart_every_us = 0;
  uint32_t kill_ppm = 0;  // so many bursts kill the balancer, which goes on with what outlives it
  TimeUs reload_every_us = 0;
  // Who vanishes comes again from the same port, and its backend has lost the connection as well.
  bool forgets = false;
  TimeUs death_every_us =
      0;  // a backend loses all its connections, is taken out, and comes back empty
  uint32_t syn_copies = 0;       // of each SYN, before it can be answered
  TimeUs stranger_every_us = 0;  // segments of who knows a connection's addresses and ports alone
  TimeUs forge_every_us = 0;     // somebody claims the address of a backend or a client
  // A flood of SYNs that nobody finishes, on for one half of this time and off for the other.
  TimeUs flood_every_us = 0;
  uint32_t flood_per_ms = 0;
  uint32_t flood_resets_ppm = 0;    // so many sources answer the SYN-ACK with RST
  uint32_t flood_copies_ppm = 0;    // so many SYNs come twice
  uint32_t client_connections = 0;  // that one address may have at a time; 0: any number
  uint32_t header_bytes = 0;        // of the PROXY header in front of each request; 0: none
  bool neighbours_known = true;     // else the balancer has to ask for each of them
  uint32_t flows_max = 1 << 16;
  // What the links that leave the balancer carry; the ends do not know of them.
  uint16_t client_mtu = kMtuMax;
  uint16_t backend_mtu = kMtuMax;
  bool mss_clamp = false;

  Reuse reuse = Reuse::rebase;
  bool rewrite_timestamps = false;
  BalancerTimeouts timeouts;

  bool by_name_only = false;  // takes long, or asks for more than is kept: not run unless asked for
  bool may_wait = false;      // a SYN may be put off until its client sends it again
  bool may_refuse = false;    // more wanted than there are ports: an RST is an honest answer

  bool lossless() const { return client_link.lossless() && backend_link.lossless(); }
  // Nothing is lost, nothing overtakes: the balancer sees exactly what the ends see.
  bool orderly() const {
    return lossless() && client_link.reorder_ppm == 0 && backend_link.reorder_ppm == 0 &&
           client_link.duplicate_ppm == 0 && backend_link.duplicate_ppm == 0;
  }
  bool narrow() const { return client_mtu < kMtuMax || backend_mtu < kMtuMax; }
  bool kills() const { return kill_ppm != 0; }
  bool restarts() const { return restart_every_us != 0; }
  uint32_t ports() const { return (uint32_t{port_last} - port_first + 1) * local_ips * backends; }
};

std::span<const Scenario> scenarios();
const Scenario* find_scenario(std::string_view name);

}  // namespace sluice::sim
