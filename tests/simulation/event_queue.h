// SPDX-License-Identifier: BSD-3-Clause
// What happens next: a binary heap of plain events. Events of one instant leave in the order in
// which they were put, which is what makes a seed replay.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/simulation/clock.h"

namespace sluice::sim {

enum class EventKind : uint8_t {
  open,              // a user opens a connection
  client_arrival,    // subject: a frame at the clients
  backend_arrival,   // subject: a frame at the backends
  inbound_arrival,   // subject: a frame at the balancer's client side
  outbound_arrival,  // subject: a frame at the balancer's backend side
  client_timer,      // subject: connection
  backend_timer,     // subject: socket, check: connection
  flush,             // the burst under collection is handed to the balancer
  housekeeping,
  restart,
  reload,
  forget,    // subject: a connection that its backend loses without a word
  death,     // a backend goes down with all that it holds
  revival,   // subject: that backend
  stranger,  // somebody sends in a client's name
  forge,     // somebody claims the address of a host
  flood,     // a millisecond of SYNs that nobody finishes
};

struct Event {
  TimeUs at;
  uint64_t order;
  uint32_t subject;
  uint32_t check;
  EventKind kind;
};

class EventQueue {
 public:
  EventQueue() { heap_.reserve(1 << 18); }

  void put(TimeUs at, EventKind kind, uint32_t subject = 0, uint32_t check = 0) {
    heap_.push_back({at, order_++, subject, check, kind});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  Event take() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Event event = heap_.back();
    heap_.pop_back();
    return event;
  }

  bool empty() const { return heap_.empty(); }

 private:
  static bool later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  std::vector<Event> heap_;
  uint64_t order_ = 0;
};

}  // namespace sluice::sim
