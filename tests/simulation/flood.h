// SPDX-License-Identifier: BSD-3-Clause
// A flood of SYNs whose sources are spoofed: each from an address and port of its own behind the
// clients' gateway, never finished. Some sources are hosts, which answer the SYN-ACK with RST; some
// SYNs come a second time on the way, as copies, sooner than a client would repeat them.
//
// All there is to a SYN follows from its number, so nothing is kept of it.
#pragma once

#include "tests/simulation/network.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/scenario.h"

namespace sluice::sim {

constexpr uint32_t kSpoofedNetwork = 0xc6120000;  // 198.18.0.0/16

constexpr bool is_spoofed(const Address& source) {
  return source.ip >> 16 == kSpoofedNetwork >> 16;
}
/// The number of a spoofed source's SYN, and the sequence number that it has.
constexpr uint32_t spoofed_number(const Address& source) {
  return (source.port - 1024u) << 16 | (source.ip & 0xffff);
}
constexpr uint32_t spoofed_isn(uint32_t number) {
  return static_cast<uint32_t>(mix(number + 1));
}

class Flood {
 public:
  Flood(const Scenario& scenario, const Site& site, Network& network)
      : scenario_(scenario), site_(site), network_(network) {}

  void begin() { first_ = next_; }
  // What comes in a millisecond.
  void tick();
  // Something has reached one of the sources.
  void receive(const Segment& segment);

 private:
  void send(uint32_t number);

  const Scenario& scenario_;
  const Site& site_;
  Network& network_;
  uint32_t first_ = 0;  // of those that were sent without a pause
  uint32_t next_ = 0;
};

}  // namespace sluice::sim
