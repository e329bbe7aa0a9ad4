// SPDX-License-Identifier: BSD-3-Clause
// Accepts connections and runs their servers; reports every SYN that it does not take.
#include "tests/simulation/backend_host.h"

#include <algorithm>

#include "tests/simulation/rng.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kNextIssStep = 65535 + 2;  // what Linux adds to snd_nxt on a reopened tuple

}  // namespace

BackendHost::BackendHost(uint16_t index, Stack stack, uint64_t seed, uint64_t client_seed,
                         Network& network, EventQueue& events, Connections& connections,
                         Checker& checker)
    : index_(index),
      stack_(stack),
      secret_(mix(seed + index)),
      stream_seed_(mix(client_seed)),
      network_(network),
      events_(events),
      connections_(connections),
      checker_(checker) {}

void BackendHost::transmit(const Segment& s, uint32_t connection) {
  network_.from_backend(s, connection);
}

BackendHost::Socket* BackendHost::find(uint64_t key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  Socket& socket = sockets_[found->second];
  if (socket.waits && socket.wait.expires_at <= network_.now) {
    remove(socket);
    return nullptr;
  }
  return &socket;
}

void BackendHost::forget(ConnectionId connection) {
  for (Socket& socket : sockets_)
    if (socket.used && socket.connection == connection) remove(socket);
}

void BackendHost::die() {
  dead_ = true;
  for (Socket& socket : sockets_)
    if (socket.used) remove(socket);
}

void BackendHost::receive(const Segment& s) {
  if (dead_) return;
  Socket* socket = find(key_of(s));
  if (socket == nullptr) {
    if (s.is_syn()) return accept(nullptr, s, false, 0);
    if (!s.is(kRst)) transmit(reset_for(s), kNobody);
    return;
  }
  if (socket->waits) return receive_waiting(*socket, s);
  if (s.is_syn() && s.identity != socket->connection)
    checker_.syn_on_live_socket(s.identity, socket->connection, socket->tcp.state());
  socket->tcp.receive(s, network_.now, *this);
  run(*socket);
}

void BackendHost::receive(const PathError& error) {
  if (dead_) return;
  path_mtus_.learn(error, network_.now);
  Socket* socket = find(key_of(error.destination, error.source));
  if (socket == nullptr || socket->waits) return;
  socket->tcp.path_shrank(error, network_.now, *this);
  after(*socket);
}

void BackendHost::receive_waiting(Socket& socket, const Segment& s) {
  const bool another = s.is_syn() && s.identity != socket.connection;
  const TimeWait before = socket.wait;
  const TimeWaitVerdict verdict = process(socket.wait, s, network_.now);
  if (another) checker_.syn_in_time_wait(s.identity, socket.connection, before, verdict);
  switch (verdict) {
    case TimeWaitVerdict::drop:
      return;
    case TimeWaitVerdict::ack:
      return transmit(stale_ack(socket.wait, s, network_.now), socket.connection);
    case TimeWaitVerdict::reset:
      transmit(reset_for(s), socket.connection);
      [[fallthrough]];
    case TimeWaitVerdict::gone:
      return remove(socket);
    case TimeWaitVerdict::reopen:
      return accept(&socket, s, true, before.snd_nxt + kNextIssStep);
  }
}

void BackendHost::accept(Socket* socket, const Segment& syn, bool reopens, uint32_t reopened_iss) {
  if (socket == nullptr) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(sockets_.size()));
      sockets_.emplace_back();
    }
    socket = &sockets_[free_.back()];
    by_key_[key_of(syn)] = free_.back();
    free_.pop_back();
  }
  *socket = Socket{};
  socket->used = true;
  socket->key = key_of(syn);
  socket->connection = syn.identity;
  const uint64_t own = mix(secret_ + socket->key);
  TcpSetup setup;
  setup.local = syn.destination;
  setup.remote = syn.source;
  setup.connection = syn.identity;
  setup.send_key = mix(stream_seed_ + 2 * uint64_t{syn.identity} + 1);
  setup.receive_key = mix(stream_seed_ + 2 * uint64_t{syn.identity});
  setup.header_size = header_size_;
  setup.clock = {1000, static_cast<uint32_t>(own >> 32)};
  setup.iss = reopens ? reopened_iss : static_cast<uint32_t>(own + network_.now * 16);
  checker_.backend_accepts(syn.identity, setup, network_.now);
  socket->tcp.accept(setup, syn, network_.now, *this);
  after(*socket);
}

void BackendHost::run(Socket& socket) {
  static const Plan kUnknown;
  const Connection* c = connections_.find(socket.connection);
  run_server(c != nullptr ? c->plan : kUnknown, c != nullptr ? c->close_at : 0, socket.server,
             socket.tcp, network_.now, *this);
  socket.tcp.flush(network_.now, *this);
  checker_.backend_received(socket.connection, socket.tcp);
  after(socket);
}

void BackendHost::after(Socket& socket) {
  const TcpState state = socket.tcp.state();
  if (state == TcpState::closed) return remove(socket);
  // Linux lets an orphan wait for the client's FIN in the small socket. A half-closed one is no
  // orphan: its program still reads.
  const Connection* c = connections_.find(socket.connection);
  const bool orphan = c == nullptr || c->plan.mode != CloseMode::backend_half_close;
  const bool waits = state == TcpState::time_wait || (state == TcpState::fin_wait_2 && orphan);
  if (waits) {
    socket.waits = true;
    socket.wait = socket.tcp.leave_behind(stack_, network_.now);
    return;
  }
  const TimeUs next = std::min(socket.tcp.deadline(), socket.server.app_at);
  if (next == kNever || next >= socket.timer_at) return;
  socket.timer_at = next;
  events_.put(next, EventKind::backend_timer, slot_of(socket) << 8 | index_, socket.connection);
}

void BackendHost::remove(Socket& socket) {
  by_key_.erase(socket.key);
  free_.push_back(slot_of(socket));
  socket = Socket{};
}

void BackendHost::on_timer(uint32_t slot, ConnectionId connection) {
  Socket& socket = sockets_[slot];
  const TimeUs now = network_.now;
  if (!socket.used || socket.waits || socket.connection != connection || socket.timer_at > now)
    return;
  socket.timer_at = kNever;
  if (now >= socket.tcp.deadline()) socket.tcp.on_deadline(now, *this);
  run(socket);
}

}  // namespace sluice::sim
