// SPDX-License-Identifier: BSD-3-Clause
// What the simulator knows of one connection: the plan it follows, what each end has really said,
// what the balancer was seen to do with it, and how it ended.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/simulation/clock.h"
#include "tests/simulation/segment.h"
#include "tests/simulation/tcp.h"

namespace sluice::sim {

using ConnectionId = uint32_t;
constexpr ConnectionId kNobody = 0;

enum class CloseMode : uint8_t {
  backend_first,
  client_first,
  simultaneous,
  client_reset,
  backend_reset,
  client_half_close,   // the client's FIN follows its request, the response comes after it
  backend_half_close,  // the backend's FIN follows its response, the client goes on sending
  idle,                // both ends fall silent after the response
  client_vanishes,     // no FIN, no RST, nothing ever again
  syn_only,            // vanishes once the SYN is out
  no_final_ack,        // vanishes once the SYN-ACK is in
};
constexpr unsigned kCloseModes = 11;

const char* name_of(CloseMode mode);

struct Plan {
  CloseMode mode = CloseMode::backend_first;
  uint16_t request_bytes = 0;
  uint16_t response_bytes = 0;
  uint16_t late_bytes = 0;  // what the client sends after the backend's half-close
  uint32_t think_us = 0;    // between the handshake and the request

  bool abandoned() const { return mode >= CloseMode::idle; }
};

// What one end has put on the wire: the ranges that any packet in its name must lie in.
struct Spoken {
  bool any = false;
  uint32_t first_seq = 0;
  uint32_t max_seq = 0;
  TimestampClock clock;
  TimeUs since = 0;

  void note(const Segment& s, const TimestampClock& clock, TimeUs now);
  bool covers_seq(uint32_t seq) const { return within(seq, first_seq, max_seq); }
  bool covers_tsval(uint32_t tsval, TimeUs now) const {
    return within(tsval, clock.at(since), clock.at(now));
  }
};

// The balancer's side of the connection as the backend sees it.
struct Tuple {
  Address local;
  Address backend;

  bool operator==(const Tuple&) const = default;
};

struct Connection {
  ConnectionId id = kNobody;
  uint32_t client_index = 0;
  Plan plan;
  Tcp client;
  TimeUs started_at = 0;
  TimeUs opened_at = 0;
  TimeUs request_at = 0;
  TimeUs close_at = kNever;  // simultaneous close: when both ends close
  TimeUs app_at = kNever;
  TimeUs timer_at = kNever;  // the timer event that is in the queue
  bool live = false;         // its client is not done
  bool gone = false;         // its client has vanished
  bool forgotten = false;    // and its backend has lost it
  bool requested = false;
  bool released = false;            // its user has gone on to the next connection
  ConnectionId previous = kNobody;  // of the same client address and port

  // What was said.
  Spoken client_spoke;
  std::array<Spoken, 2> backend_spoke;  // the newest first: a backend may answer twice afresh

  // What the balancer did.
  bool has_tuple = false;
  Tuple tuple;
  uint32_t tuple_leads_to = 0;  // the backend, by number, that got its last SYN
  uint32_t seq_offset = 0;
  // The TSval offset lies in this serial range; each packet seen narrows it.
  uint32_t ts_offset_low = 0;
  uint32_t ts_offset_high = 0;
  bool fin_inbound = false;
  bool fin_outbound = false;
  bool reset_seen = false;
  bool syn_ack_passed = false;
  bool answered = false;  // a SYN-ACK passed since the last SYN on a new tuple or with new numbers
  bool refused_by_balancer = false;
  uint32_t lost_to_kills = 0;  // packets of it, of either end
  bool end_lost = false;       // a RST or its last ACK among them
  TimeUs touched_at = 0;
  TimeUs moved_at = 0;  // to this tuple

  // What it met at the backend.
  uint16_t rejects = 0;         // SYNs of its own that the backend did not take
  uint16_t silent_rejects = 0;  // of those, dropped without an answer

  Address client_address() const { return client.setup().local; }
};

// Connections by number. A slot is used again only when its connection is over, so a late packet's
// connection is found long after its end.
class Connections {
 public:
  explicit Connections(unsigned capacity_log2 = 16)
      : mask_((1u << capacity_log2) - 1), slots_(size_t{mask_} + 1) {}

  Connection& start() {
    do {
      next_++;
    } while (next_ == kNobody || slots_[next_ & mask_].live);
    Connection& c = slots_[next_ & mask_];
    c = Connection{};
    c.id = next_;
    c.live = true;
    return c;
  }

  Connection* find(ConnectionId id) {
    Connection& c = slots_[id & mask_];
    return id != kNobody && c.id == id ? &c : nullptr;
  }

  // One of the newest, `back` of them ago.
  Connection* recent(uint32_t back) { return find(next_ - back); }

  template <typename Visit>
  void each_live(Visit visit) {
    for (Connection& c : slots_)
      if (c.live) visit(c);
  }

 private:
  uint32_t mask_;
  ConnectionId next_ = 0;
  std::vector<Connection> slots_;
};

}  // namespace sluice::sim
