// SPDX-License-Identifier: BSD-3-Clause
// Opens connections and runs their clients.
#include "tests/simulation/client_host.h"

#include <numeric>

namespace sluice::sim {
namespace {

constexpr uint32_t kFirstClientIp = 0x0a010001;  // 10.1.0.1
constexpr uint16_t kFirstClientPort = 32768;
constexpr unsigned kPortTries = 8;
constexpr TimeUs kRetiredUs = 400 * kSecond;
constexpr TimeUs kForgottenUs = 10 * kMillisecond;  // nothing is on its way any more
constexpr uint32_t kClockRates[] = {1000, 1000, 1000, 1'000'000, 1'000'000, 100, 250, 333, 1024};

}  // namespace

ClientHost::ClientHost(const Scenario& scenario, const Site& site, uint64_t seed, Network& network,
                       EventQueue& events, Connections& connections, Checker& checker, Rng& rng)
    : scenario_(scenario),
      site_(site),
      seed_(mix(seed)),
      network_(network),
      events_(events),
      connections_(connections),
      checker_(checker),
      rng_(rng),
      clients_(scenario.clients),
      mode_weights_(std::accumulate(scenario.modes.begin(), scenario.modes.end(), 0u)) {
  for (Client& c : clients_) {
    c.secret = rng_.next();
    c.hz = scenario.close_numbers ? 100 : kClockRates[rng_.below(std::size(kClockRates))];
    c.clock_per_port = rng_.below(2) != 0;
    c.timestamps = !rng_.chance_ppm(scenario.without_timestamps_ppm);
    c.sack = !rng_.chance_ppm(scenario.without_sack_ppm);
    c.next_port = static_cast<uint16_t>(rng_.below(scenario.client_ports));
  }
}

bool ClientHost::is_free(const Holder& h) {
  if (h.waits) return h.wait.expires_at <= network_.now;
  const Connection* c = connections_.find(h.connection);
  return (c == nullptr || !c->live) && h.retired_until <= network_.now;
}

bool ClientHost::choose_port(Client& client, uint32_t ip, Address& address) {
  for (unsigned i = 0; i < kPortTries; i++) {
    client.next_port = static_cast<uint16_t>((client.next_port + 1) % scenario_.client_ports);
    address = {ip, static_cast<uint16_t>(kFirstClientPort + client.next_port)};
    const auto found = holders_.find(key(address));
    if (found == holders_.end()) return true;
    if (is_free(found->second)) return true;
  }
  return false;
}

// A host's own numbers grow: the initial sequence as in RFC 6528 (a 16 MHz clock and a secret), the
// timestamps by its clock. Hosts among each other have nothing in common.
TcpSetup ClientHost::set_up(const Client& client, const Address& local, ConnectionId id) const {
  TcpSetup s;
  s.local = local;
  s.remote = site_.vip;
  s.connection = id;
  s.send_key = mix(seed_ + 2 * uint64_t{id});
  s.receive_key = mix(seed_ + 2 * uint64_t{id} + 1);
  s.timestamps = client.timestamps;
  s.sack = client.sack;
  s.segment_size = static_cast<uint16_t>(60 + client.secret % 120);
  const uint64_t own = mix(client.secret + local.port);
  s.iss = static_cast<uint32_t>(own + network_.now * 16);
  s.clock = {client.hz, static_cast<uint32_t>((client.clock_per_port ? own : client.secret) >> 32)};
  if (scenario_.close_numbers) {
    // Around 0 or around 2^31, a few apart: equality, neighbours and both wraps, all the time.
    const uint32_t half = local.ip & 1 ? 0 : 0x80000000;
    const auto base = static_cast<uint32_t>(network_.now * client.hz / kSecond);
    s.iss = (own >> 8 & 7) == 0 ? static_cast<uint32_t>(own) : half - 8 + own % 16;
    s.clock.offset = (own >> 12 & 7) == 0 ? half - base + static_cast<uint32_t>(own >> 16) % 64
                                          : static_cast<uint32_t>(own >> 16) % 64 - 32 + half;
  }
  return s;
}

Plan ClientHost::make_plan() {
  Plan plan;
  uint32_t at = rng_.below(mode_weights_);
  unsigned mode = 0;
  while (at >= scenario_.modes[mode]) at -= scenario_.modes[mode++];
  plan.mode = static_cast<CloseMode>(mode);
  const uint32_t bytes = scenario_.bytes_max;
  plan.request_bytes = static_cast<uint16_t>(1 + rng_.below(bytes));
  plan.response_bytes = static_cast<uint16_t>(rng_.below(bytes + 1));
  if (plan.mode == CloseMode::backend_half_close)
    plan.late_bytes = static_cast<uint16_t>(rng_.below(bytes));
  // A few last long: their numbers run far from where they began.
  plan.think_us = rng_.chance_ppm(scenario_.long_ppm) ? rng_.below(20 * kSecond)
                                                      : rng_.below(scenario_.think_max_us + 1);
  return plan;
}

bool ClientHost::open() {
  const uint32_t index = rng_.below(static_cast<uint32_t>(clients_.size()));
  Address local;
  if (!choose_port(clients_[index], kFirstClientIp + index, local)) {
    events_.put(network_.now + scenario_.pause_us, EventKind::open);
    return false;
  }
  Connection& c = connections_.start();
  Holder& holder = holders_[key(local)];
  c.previous = holder.connection;
  c.client_index = index;
  c.started_at = network_.now;
  c.plan = make_plan();
  holder = Holder{c.id};
  live_++;
  checker_.opens(c, local);
  c.client.connect(set_up(clients_[index], local, c.id), network_.now, *this);
  if (c.plan.mode == CloseMode::syn_only) c.gone = true;
  after(c);
  return true;
}

void ClientHost::transmit(const Segment& segment, uint32_t connection) {
  network_.from_client(segment, connection);
}

void ClientHost::receive(const Segment& s) {
  const auto found = holders_.find(key(s.destination));
  if (found == holders_.end()) {
    if (!s.is(kRst)) transmit(reset_for(s), kNobody);
    return;
  }
  if (found->second.waits) return receive_waiting(found->second, s);
  Connection* c = connections_.find(found->second.connection);
  if (c == nullptr || c->client.state() == TcpState::closed) {
    if (!s.is(kRst)) transmit(reset_for(s), kNobody);
    return;
  }
  if (c->gone) return;
  c->client.receive(s, network_.now, *this);
  checker_.client_received(*c);
  run_client(*c, network_.now, *this);
  c->client.flush(network_.now, *this);
  after(*c);
}

void ClientHost::receive(const PathError& error) {
  path_mtus_.learn(error, network_.now);
  const auto found = holders_.find(key(error.source));
  if (found == holders_.end() || found->second.waits) return;
  Connection* c = connections_.find(found->second.connection);
  if (c == nullptr || !c->live || c->gone) return;
  c->client.path_shrank(error, network_.now, *this);
  after(*c);
}

void ClientHost::receive_waiting(Holder& h, const Segment& s) {
  if (h.wait.expires_at <= network_.now) {
    if (!s.is(kRst)) transmit(reset_for(s), kNobody);
    return;
  }
  switch (process(h.wait, s, network_.now)) {
    case TimeWaitVerdict::ack:
      return transmit(stale_ack(h.wait, s, network_.now), h.connection);
    case TimeWaitVerdict::reset:
      transmit(reset_for(s), h.connection);
      [[fallthrough]];
    case TimeWaitVerdict::gone:
      h.waits = false;
      return;
    default:
      return;
  }
}

void ClientHost::on_timer(ConnectionId id) {
  Connection* c = connections_.find(id);
  if (c == nullptr || !c->live) return;
  const TimeUs now = network_.now;
  if (c->timer_at > now) return;
  c->timer_at = kNever;
  if (c->gone) return;
  if (now >= c->client.deadline()) c->client.on_deadline(now, *this);
  if (now >= c->app_at) run_client(*c, now, *this);
  c->client.flush(now, *this);
  after(*c);
}

// Settles what a connection's step has led to: its end, or its next timer.
void ClientHost::after(Connection& c) {
  const TcpState state = c.client.state();
  if (c.gone || state == TcpState::closed || state == TcpState::time_wait) return done(c);
  const bool silent = c.requested && c.client.received() == c.plan.response_bytes;
  if (c.plan.mode == CloseMode::idle && silent) release_user(c);
  const TimeUs next = std::min(c.client.deadline(), c.app_at);
  if (next == kNever || next >= c.timer_at) return;
  c.timer_at = next;
  events_.put(next, EventKind::client_timer, c.id);
}

void ClientHost::done(Connection& c) {
  if (!c.live) return;
  c.live = false;
  live_--;
  Holder& holder = holders_[key(c.client_address())];
  if (c.client.state() == TcpState::time_wait) {
    holder.waits = true;
    holder.wait = c.client.leave_behind(Stack::linux_, network_.now);
  }
  if (c.gone) holder.retired_until = network_.now + (c.forgotten ? kForgottenUs : kRetiredUs);
  if (c.gone && scenario_.forgets) {
    holder.retired_until = network_.now + 2 * kForgottenUs;
    events_.put(network_.now + kForgottenUs, EventKind::forget, c.id);
  }
  checker_.client_done(c);
  if (holders_.size() > sweep_at_) sweep();
  release_user(c);
}

void ClientHost::give_up(Connection& c) {
  c.gone = c.forgotten = true;
  done(c);
}

void ClientHost::release_user(Connection& c) {
  if (c.released) return;
  c.released = true;
  events_.put(network_.now + rng_.below(scenario_.pause_us + 1), EventKind::open);
}

void ClientHost::sweep() {
  std::erase_if(holders_, [&](const auto& entry) { return is_free(entry.second); });
  sweep_at_ = 2 * holders_.size() + 100'000;
}

}  // namespace sluice::sim
