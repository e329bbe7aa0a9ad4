// SPDX-License-Identifier: BSD-3-Clause
// Moves frames between hosts and balancer.
#include "tests/simulation/network.h"

#include <cstring>

#include "tests/simulation/wire_bytes.h"

namespace sluice::sim {
namespace {

// All of them are through before the first answer can be at its client.
constexpr TimeUs kCopyEveryUs = 10;
constexpr TimeUs kArpDelayUs = 50;
constexpr unsigned kArpSize = 42;
constexpr uint8_t kArpFixed[8] = {0, 1, 8, 0, 6, 4, 0, 0};

// operation 1: request, 2: reply
void write_arp(uint8_t* f, uint8_t operation, uint32_t sender, uint32_t target) {
  f[12] = 0x08, f[13] = 0x06;
  std::memcpy(f + 14, kArpFixed, 8);
  f[21] = operation;
  write_mac(f + 22, sender);
  put32(f + 28, sender);
  std::memset(f + 32, 0, 6);
  put32(f + 38, target);
}

EventKind arrival_at_balancer(Side side) {
  return side == Side::client ? EventKind::inbound_arrival : EventKind::outbound_arrival;
}

}  // namespace

void write_mac(uint8_t* mac, uint32_t ip) {
  mac[0] = 0x02, mac[1] = 0;
  put32(mac + 2, ip);
}

void write_balancer_mac(uint8_t* mac, Side side) {
  const uint8_t kMac[6] = {0x02, 0x5c, 0, 0, 0, static_cast<uint8_t>(side == Side::client ? 1 : 2)};
  std::memcpy(mac, kMac, 6);
}

Network::Network(const Scenario& scenario, EventQueue& events, Rng& rng, Connections& connections,
                 Checker& checker, Trace& trace)
    : events_(events),
      rng_(rng),
      connections_(connections),
      checker_(checker),
      trace_(trace),
      syn_copies_(scenario.syn_copies),
      client_up_(scenario.client_link),
      client_down_(scenario.client_link),
      backend_up_(scenario.backend_link),
      backend_down_(scenario.backend_link) {}

FrameId Network::frame_for(const Segment& segment, Side side) {
  const FrameId id = frames_.take();
  Segment s = segment;
  s.ip_id = ++ip_id_;
  uint8_t* bytes = frames_.data(id);
  write_balancer_mac(bytes, side);
  write_mac(bytes + 6, s.source.ip);
  bytes[12] = 0x08, bytes[13] = 0x00;
  frames_.resize(id, encode(s, bytes));
  return id;
}

void Network::from_client(const Segment& s, ConnectionId connection) {
  trace_.note(now, Place::client_sent, s, connection);
  if (Connection* c = connections_.find(connection); c != nullptr && !s.is(kRst))
    c->client_spoke.note(s, c->client.setup().clock, now);
  client_up_.send(now, rng_, [&](TimeUs at) {
    events_.put(at, EventKind::inbound_arrival, frame_for(s, Side::client));
    for (uint32_t i = 1; s.is_syn() && i <= syn_copies_; i++)
      events_.put(at + i * kCopyEveryUs, EventKind::inbound_arrival, frame_for(s, Side::client));
  });
}

void Network::from_backend(const Segment& s, ConnectionId connection) {
  trace_.note(now, Place::backend_sent, s, connection);
  if (Connection* c = connections_.find(connection); c != nullptr && !s.is(kRst))
    for (Spoken& spoken : c->backend_spoke)
      if (spoken.any && spoken.covers_seq(s.seq) && after(s.end(), spoken.max_seq))
        spoken.max_seq = s.end();
  backend_up_.send(now, rng_, [&](TimeUs at) {
    events_.put(at, EventKind::outbound_arrival, frame_for(s, Side::backend));
  });
}

void Network::from_stranger(const Segment& s) {
  trace_.note(now, Place::client_sent, s, kNobody);
  events_.put(now, EventKind::inbound_arrival, frame_for(s, Side::client));
}

void Network::emit(Side side, FrameView frame) {
  if (frame.size() >= kArpSize && frame[12] == 0x08 && frame[13] == 0x06)
    return answer_arp(side, frame);
  checker_.leaves_balancer(side, frame, now);
  const bool to_client = side == Side::client;
  (to_client ? client_down_ : backend_down_).send(now, rng_, [&](TimeUs at) {
    events_.put(at, to_client ? EventKind::client_arrival : EventKind::backend_arrival,
                frames_.copy(frame));
  });
}

void Network::answer_arp(Side side, FrameView request) {
  if (request[21] != 1) return;
  uint8_t reply[kArpSize];
  const uint32_t asker = get32(&request[28]);
  const uint32_t asked = get32(&request[38]);
  if (asker == asked) return;  // a gratuitous one
  std::memcpy(reply, &request[6], 6);
  write_mac(reply + 6, asked);
  write_arp(reply, 2, asked, asker);
  std::memcpy(reply + 32, &request[22], 6);
  events_.put(now + kArpDelayUs, arrival_at_balancer(side), frames_.copy(reply));
}

void Network::forge(Side side, uint32_t ip) {
  uint8_t claim[kArpSize];
  std::memset(claim, 0xff, 6);
  write_mac(claim + 6, ip);
  write_arp(claim, 1, ip, ip);
  claim[6 + 1] = claim[22 + 1] = 0x66;  // a MAC that is nobody's
  events_.put(now, arrival_at_balancer(side), frames_.copy(claim));
}

void Network::introduce(Side side, uint32_t neighbour_ip, uint32_t asked_ip) {
  uint8_t request[kArpSize];
  std::memset(request, 0xff, 6);
  write_mac(request + 6, neighbour_ip);
  write_arp(request, 1, neighbour_ip, asked_ip);
  events_.put(now, arrival_at_balancer(side), frames_.copy(request));
}

}  // namespace sluice::sim
