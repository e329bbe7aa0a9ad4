// SPDX-License-Identifier: BSD-3-Clause
// Sums of counters.
#include "dataplane/worker/packet_balance.h"

namespace sluice {

PacketBalance& PacketBalance::operator+=(const PacketBalance& other) {
  received += other.received;
  made += other.made;
  from_kernel += other.from_kernel;
  taken_over += other.taken_over;
  sent += other.sent;
  dropped += other.dropped;
  consumed += other.consumed;
  to_kernel += other.to_kernel;
  handed_on += other.handed_on;
  waiting += other.waiting;
  return *this;
}

PacketBalance balance_of(const WorkerCounters& counters) {
  const auto events = [&](Event event) {
    return counters.events[static_cast<size_t>(event)].value();
  };
  PacketBalance balance;
  balance.received = counters.packets_in.value();
  balance.made = events(Event::packets_made) + events(Event::datagrams_reassembled);
  balance.from_kernel = events(Event::packets_from_kernel);
  balance.taken_over = events(Event::taken_over) + events(Event::relays_taken);
  balance.sent = counters.packets_out.value();
  for (const Counter& drop : counters.drops) balance.dropped += drop.value();
  balance.consumed = events(Event::arp_consumed) + events(Event::nd_consumed) +
                     events(Event::proxy_acks_absorbed) + events(Event::syn_cookies_sent) +
                     events(Event::syn_cookies_accepted) + events(Event::syn_cookies_refused) +
                     events(Event::syn_cookies_spliced) + events(Event::fragments_reassembled);
  balance.to_kernel = events(Event::packets_to_kernel);
  balance.handed_on = events(Event::handed_off) + events(Event::relayed);
  balance.waiting = counters.packets_waiting.value() + counters.fragments_waiting.value();
  return balance;
}

bool CountPackets::step(Core& core) {
  core.tx.flush();
  core.handoff.flush();
  balance_ = balance_of(core.counters);
  return true;
}

}  // namespace sluice
