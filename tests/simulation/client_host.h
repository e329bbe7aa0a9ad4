// SPDX-License-Identifier: BSD-3-Clause
// All clients: who they are, their clocks and sequence numbers, the ports they open from, and the
// connections they hold.
#pragma once

#include <unordered_map>
#include <vector>

#include "tests/simulation/application.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/connection.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scenario.h"

namespace sluice::sim {

class ClientHost final : public Outbox {
 public:
  ClientHost(const Scenario& scenario, const Site& site, uint64_t seed, Network& network,
             EventQueue& events, Connections& connections, Checker& checker, Rng& rng);

  // False where the chosen client has no free port; it tries again later.
  bool open();
  void receive(const Segment& segment);
  void receive(const PathError& error);
  void on_timer(ConnectionId id);

  // A connection whose backend is dead: its user gives it up without a word and tries anew.
  void give_up(Connection& connection);

  uint64_t live() const { return live_; }
  // Connections of a client and port, for the checker: the newest one that had it.
  static uint64_t key(const Address& a) { return uint64_t{a.ip} << 16 | a.port; }

  void transmit(const Segment& segment, uint32_t connection) override;
  uint16_t path_mtu(uint32_t local, uint32_t remote, TimeUs now) const override {
    return path_mtus_.between(local, remote, now);
  }

 private:
  struct Client {
    uint64_t secret = 0;
    uint32_t hz = 1000;
    bool clock_per_port = false;  // else one clock for all of its connections
    bool timestamps = true;
    bool sack = true;
    uint16_t next_port = 0;
  };
  // What holds a client's port.
  struct Holder {
    ConnectionId connection = kNobody;
    bool waits = false;
    TimeUs retired_until = 0;  // a vanished client does not come back from the same port
    TimeWait wait;
  };

  bool is_free(const Holder& holder);
  bool choose_port(Client& client, uint32_t ip, Address& address);
  TcpSetup set_up(const Client& client, const Address& local, ConnectionId id) const;
  Plan make_plan();
  void after(Connection& connection);
  void receive_waiting(Holder& holder, const Segment& segment);
  void done(Connection& connection);
  void release_user(Connection& connection);
  void sweep();

  const Scenario& scenario_;
  const Site& site_;
  uint64_t seed_;
  Network& network_;
  EventQueue& events_;
  Connections& connections_;
  Checker& checker_;
  Rng& rng_;
  std::vector<Client> clients_;
  std::unordered_map<uint64_t, Holder> holders_;
  PathMtus path_mtus_;
  size_t sweep_at_ = 100'000;
  unsigned mode_weights_ = 0;
  uint64_t live_ = 0;
};

}  // namespace sluice::sim
