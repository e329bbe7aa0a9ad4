// SPDX-License-Identifier: BSD-3-Clause
// The wires of the simulated world:
//
//   clients ---- client side [balancer] backend side ---- backends
//
// Frames in flight, the four directed links, the neighbours' answers to ARP, and the record of
// every packet at every place.
#pragma once

#include "tests/simulation/balancer.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/connection.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/frame_pool.h"
#include "tests/simulation/link.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/trace.h"

namespace sluice::sim {

class Network final : public Wire {
 public:
  Network(const Scenario& scenario, EventQueue& events, Rng& rng, Connections& connections,
          Checker& checker, Trace& trace);

  TimeUs now = 0;

  void from_client(const Segment& segment, ConnectionId connection);
  void from_backend(const Segment& segment, ConnectionId connection);
  // Arrives at once.
  void from_stranger(const Segment& segment);
  void emit(Side side, FrameView frame) override;
  void lose(Side side, FrameView frame) override { checker_.lost_in_kill(side, frame); }

  FrameView view(FrameId id) { return frames_.view(id); }
  void release(FrameId id) { frames_.give(id); }

  // Tells the balancer's side its neighbours before anything happens, by ARP requests as real
  // neighbours send them.
  void introduce(Side side, uint32_t neighbour_ip, uint32_t asked_ip);
  // A gratuitous ARP that gives the address of a host to somebody else.
  void forge(Side side, uint32_t ip);

 private:
  void answer_arp(Side side, FrameView request);
  FrameId frame_for(const Segment& segment, Side side);

  EventQueue& events_;
  Rng& rng_;
  Connections& connections_;
  Checker& checker_;
  Trace& trace_;
  FramePool frames_;
  uint32_t syn_copies_;
  Link client_up_, client_down_, backend_up_, backend_down_;
  uint16_t ip_id_ = 0;
};

// Ethernet addresses are made of the IPv4 address, so anyone can tell whose they are.
void write_mac(uint8_t* mac, uint32_t ip);
void write_balancer_mac(uint8_t* mac, Side side);

}  // namespace sluice::sim
