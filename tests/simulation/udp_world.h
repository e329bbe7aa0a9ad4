// SPDX-License-Identifier: BSD-3-Clause
// Clients and servers that speak UDP through the core, in virtual time, and what must hold:
//
//   reaches    what comes out towards a client is an answer to that client
//   exclusive  while a server may still answer one client, nobody else's datagrams come to it from
//              the same local address and port
//   stays      a client that has gone on after an answer keeps its server, address and port
//   ports      without a flood no port is wanting, and few are in use: one-shot flows give theirs
//              back
//   completes  without a flood a query has its answer after some tries
//   let_in     in a flood so does nearly every one
//   checksums  of every frame that comes out are right, and none stays none
//   leak       when all are silent, no flow, port or buffer is left
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/udp_balancer.h"

namespace sluice::sim {

struct UdpScenario {
  const char* name;
  uint32_t spoofed_per_ms = 0;     // datagrams of a flood
  bool flood_is_answered = false;  // by the servers
  bool reloads = false;
  uint32_t loss_ppm = 5'000;
  uint32_t copies_ppm = 5'000;
};

class UdpWorld {
 public:
  UdpWorld(const UdpScenario& scenario, uint64_t seed);

  /// The first invariant that was violated, and how; nothing when all went well.
  std::optional<std::pair<std::string, std::string>> run(uint32_t queries);
  void print() const;

 private:
  struct Event {
    TimeUs at;
    uint64_t order;
    std::function<void()> happen;
    bool operator<(const Event& other) const {  // the earliest is the top of the queue
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Query {
    uint16_t service;
    bool answered = false;
    uint32_t tries = 0;
  };
  /// What a server knows of a tuple.
  struct Seen {
    Peer client;
    TimeUs busy_until = 0;  // it may still answer
  };
  struct Conversation {
    uint32_t newest = 0;                          // the number of the newest answer
    uint32_t answers = 0;                         // each newer than the one before
    std::optional<std::pair<uint32_t, Peer>> at;  // server, and us as it sees us
  };

  void at(TimeUs delay, std::function<void()> happen);
  void send(bool from_client, const Datagram& datagram);
  void emitted(bool to_client, std::span<const uint8_t> frame);
  void client_gets(const Datagram& datagram);
  void server_gets(const Datagram& datagram);
  void ask(Peer client, uint32_t number, uint16_t service);
  void begin_query();
  void talk(Peer client);
  void flood();
  void judge_end();
  void violate(const char* invariant, const std::string& detail);

  UdpScenario scenario_;
  Rng rng_;
  TimeUs now_ = kSecond;
  uint64_t order_ = 0;
  std::priority_queue<Event> events_;
  UdpBalancer balancer_;
  std::map<std::pair<Peer, uint32_t>, Query> queries_;
  std::map<std::pair<Peer, Peer>, Seen> seen_;  // by server's and our address
  std::map<Peer, Conversation> conversations_;
  uint32_t number_ = 0;
  bool quiet_ = false;
  uint32_t answered_ = 0, unanswered_ = 0;
  std::optional<std::pair<std::string, std::string>> violation_;
};

}  // namespace sluice::sim
