// SPDX-License-Identifier: BSD-3-Clause
// The invariants. It looks at every packet that leaves the balancer and at every step of the
// models, and knows nothing of the balancer but what can be seen from outside:
//
//   checksums     IPv4 and TCP checksums, headers and options are right
//   delivery      a packet belongs to the connection that it is delivered to: addresses, sequence,
//                 acknowledgement, SACK, timestamps and payload lie within what its ends have said
//   echo          a client sees echoes of its own TSvals only
//   tuple         a tuple belongs to one live connection at a time
//   time_wait     no SYN is rejected for TIME_WAIT where the balancer could have known; where it
//                 could not, the connection opens all the same, without a second SYN of the client
//   bare_ack      a client never sees a bare ACK as the answer to its SYN
//   copies        a SYN goes by one tuple for as long as its client waits, however often it comes
//   opens         a connection that a direct path would have opened is opened, by its first SYN but
//                 where unfinished handshakes hold the ports
//   completes     and ends as planned, every byte delivered
//   reset         what the balancer resets for idleness is reset with the right numbers, at both
//                 ends
//   clock         with tcp_timestamps = rewrite, SYNs from one local address never go back in time
//                 (the rule of tcp_tw_recycle)
//   half_open     in a flood unfinished handshakes hold half of a backend's ports and of the
//                 table at most
//   evicted       the backend of one that made way was reset, at the number that it expects
//   flood         real clients connect by their third SYN, by their first once the flood is
//                 over
//   proxy         a backend is told first whose connection it is, in the same bytes each time
//   limits        a client has no more connections open than it may, and at the end the balancer
//                 counts none
//   mtu           nothing is larger than its link carries; who sent what is hears of it, as he sent
//                 it, and where the MSS is clamped nobody has to
//   accounts      every packet in is a packet out, a drop, or counted as consumed
//   leak          flows and ports at the end equal those at the start
//   whole         a core that takes over what a killed one has left, between any two stores of a
//                 packet, has flows that there were, each found by its key and its port
#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/simulation/balancer.h"
#include "tests/simulation/connection.h"
#include "tests/simulation/figures.h"
#include "tests/simulation/path_error.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/trace.h"

namespace sluice::sim {

struct Violation {
  TimeUs at = 0;
  std::string invariant;
  std::string detail;
  ConnectionId connection = kNobody;
};

// By which the checker finds a connection. Backends differ in the low bits, so the second is exact
// for the sites we build.
inline uint64_t key_of(const Address& a) {
  return uint64_t{a.ip} << 16 | a.port;
}
inline uint64_t key_of(const Tuple& t) {
  return uint64_t{t.backend.ip & 0xffff} << 48 | key_of(t.local);
}

class Checker {
 public:
  Checker(const Scenario& scenario, const Site& site, Connections& connections, Trace& trace);

  // Whether the balancer promises to reset what has been idle for too long.
  void set_resets_idle(bool promised) { resets_idle_ = promised; }

  // Counts and goes on where it would have stopped: to measure a balancer that is known to fail.
  void only_count() { only_count_ = true; }

  // What the balancer does.
  void leaves_balancer(Side side, FrameView frame, TimeUs now);
  void restarted(TimeUs now);
  // Over packet number `at` of this burst, with what outlives it; over its timers: there is none.
  void killed(std::span<const FrameView> burst, size_t at, TimeUs now);
  void lost_in_kill(Side side, FrameView frame);
  // And started again.
  void came_back(const Account& account);
  void set_flood(bool on);
  // A backend dies now.
  void note_death() { died_at_ = now_; }
  void drained(const Account& account, TimeUs now);

  // What the ends do.
  void opens(Connection& connection, const Address& client);
  void client_received(Connection& connection);
  void client_done(Connection& connection);
  void backend_accepts(ConnectionId id, const TcpSetup& setup, TimeUs now);
  void backend_received(ConnectionId id, const Tcp& tcp);
  void syn_in_time_wait(ConnectionId syn, ConnectionId old, const TimeWait& wait,
                        TimeWaitVerdict verdict);
  void syn_on_live_socket(ConnectionId syn, ConnectionId old, TcpState state);

  const std::optional<Violation>& violation() const { return violation_; }
  const Figures& figures() const { return figures_; }
  Figures& figures() { return figures_; }
  void set_now(TimeUs now) { now_ = now; }

 private:
  void meets_a_kill(Connection& c, const Segment& s, bool was_seen, bool was_in_hand);
  bool needs_healing_anew(const Connection& c) const;
  Connection* addressee_of(Side side, const Segment& s);
  void check_size(Side side, FrameView frame);
  void error_leaves(Side side, const PathError& error);
  ConnectionId sender_among_clients(const PathError& error) const;
  ConnectionId sender_among_backends(const PathError& error) const;
  uint16_t mss_expected() const;
  void to_backend(const Segment& s);
  void to_client(const Segment& s);
  void syn_to_backend(const Segment& s, const Tuple& tuple);
  void spoofed_syn(const Segment& s, const Tuple& tuple);
  void to_spoofed(const Segment& s);
  void own(const Tuple& tuple, ConnectionId id, uint32_t seq);
  void begin_handshake(const Tuple& tuple, uint64_t key, ConnectionId id, uint32_t seq);
  void end_handshake(uint64_t key, const Segment& s);
  void check_took(const Connection& c);
  void check_limit(const Connection& c);
  void take_tuple(Connection& c, const Segment& syn, const Tuple& tuple);
  bool fits_inbound(Connection& c, const Segment& s);
  uint32_t before_header(const Connection& c, uint32_t seq) const;
  bool is_header_right(const Connection& c, std::span<const uint8_t> header) const;
  bool fits_outbound(Connection& c, const Segment& s);
  bool is_harmless_echo_of_the_past(const Connection& c, const Segment& s) const;
  void check_host_clock(const Segment& s, ConnectionId id);
  bool narrow_ts_offset(Connection& c, uint32_t tsval);
  bool is_closed(const Connection& c) const;
  bool is_lost(const Connection& c) const;
  bool met_a_death(const Connection& c) const;
  bool could_not_know(ConnectionId old) const;
  void check_opened(Connection& c);
  void check_ending(Connection& c);
  void fail(const char* invariant, ConnectionId connection, const char* format, ...)
      __attribute__((format(printf, 4, 5)));

  const Scenario& scenario_;
  const Site& site_;
  bool resets_idle_ = false;
  bool only_count_ = false;
  Connections& connections_;
  Trace& trace_;
  TimeUs now_ = 0;
  TimeUs restarted_at_ = 0;
  TimeUs killed_at_ = 0;
  Figures figures_;
  std::optional<Violation> violation_;
  std::unordered_map<uint32_t, std::vector<ConnectionId>> open_of_;  // by a client's address
  // A handshake whose SYN was passed on and that the backend does not know to be finished, or over.
  struct Unfinished {
    ConnectionId id;
    uint32_t expected;  // the sequence number that its backend takes a RST at
    Address backend;
  };
  bool flood_on_ = false;
  TimeUs flood_changed_at_ = 0;
  TimeUs died_at_ = 0;                                    // when a backend did last
  std::unordered_map<uint64_t, Unfinished> unfinished_;   // by tuple, where there is a flood
  std::unordered_map<uint32_t, uint64_t> unfinished_of_;  // how many, by backend
  std::unordered_set<ConnectionId> lost_track_;           // by a kill, of how these ended
  std::unordered_map<uint64_t, ConnectionId> by_client_;
  std::unordered_map<uint64_t, ConnectionId> owners_;
  std::unordered_map<uint64_t, uint32_t> host_tsval_;  // newest, by (local ip, backend)
};

}  // namespace sluice::sim
