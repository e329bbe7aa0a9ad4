// SPDX-License-Identifier: BSD-3-Clause
// One backend: a listening socket, its connections, and what closed ones leave behind.
#pragma once

#include <unordered_map>
#include <vector>

#include "tests/simulation/application.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/connection.h"
#include "tests/simulation/network.h"
#include "tests/simulation/time_wait.h"

namespace sluice::sim {

class BackendHost final : public Outbox {
 public:
  BackendHost(uint16_t index, Stack stack, uint64_t seed, uint64_t client_seed, Network& network,
              EventQueue& events, Connections& connections, Checker& checker);
  // Its connections begin with a header of that length.
  void expect_header(uint32_t size) { header_size_ = static_cast<uint16_t>(size); }

  void receive(const Segment& segment);
  void receive(const PathError& error);
  // Loses a connection, or all and with them its place in the network, without a word.
  void forget(ConnectionId connection);
  void die();
  void revive() { dead_ = false; }
  void on_timer(uint32_t slot, ConnectionId connection);

  void transmit(const Segment& segment, uint32_t connection) override;
  uint16_t path_mtu(uint32_t local, uint32_t remote, TimeUs now) const override {
    return path_mtus_.between(local, remote, now);
  }

 private:
  struct Socket {
    Tcp tcp;
    TimeWait wait;
    ServerState server;
    uint64_t key = 0;
    ConnectionId connection = kNobody;
    TimeUs timer_at = kNever;
    bool waits = false;
    bool used = false;
  };

  static uint64_t key_of(const Address& remote, const Address& local) {
    return uint64_t{remote.ip} << 32 | uint64_t{remote.port} << 16 | local.port;
  }
  static uint64_t key_of(const Segment& s) { return key_of(s.source, s.destination); }

  Socket* find(uint64_t key);
  void accept(Socket* socket, const Segment& syn, bool reopens, uint32_t reopened_iss);
  void receive_waiting(Socket& socket, const Segment& segment);
  void run(Socket& socket);
  void after(Socket& socket);
  void remove(Socket& socket);
  uint32_t slot_of(const Socket& socket) const {
    return static_cast<uint32_t>(&socket - sockets_.data());
  }

  uint16_t index_;
  Stack stack_;
  bool dead_ = false;
  uint16_t header_size_ = 0;
  uint64_t secret_;
  uint64_t stream_seed_;
  Network& network_;
  EventQueue& events_;
  Connections& connections_;
  Checker& checker_;
  std::vector<Socket> sockets_;
  std::vector<uint32_t> free_;
  std::unordered_map<uint64_t, uint32_t> by_key_;
  PathMtus path_mtus_;
};

}  // namespace sluice::sim
