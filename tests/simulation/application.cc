// SPDX-License-Identifier: BSD-3-Clause
// The two programs.
#include "tests/simulation/application.h"

namespace sluice::sim {
namespace {

constexpr TimeUs kPatienceUs = 200 * kSecond;        // a client's, for the whole exchange
constexpr TimeUs kServerPatienceUs = 300 * kSecond;  // a server's, for a silent client
constexpr TimeUs kSimultaneousAfterUs = 20 * kMillisecond;

void on_opened(Connection& c, TimeUs now) {
  c.opened_at = now;
  c.request_at = now + c.plan.think_us;
  if (c.plan.mode == CloseMode::simultaneous) c.close_at = c.request_at + kSimultaneousAfterUs;
}

void send_request(Connection& c) {
  c.requested = true;
  c.client.write(c.plan.request_bytes);
  if (c.plan.mode == CloseMode::client_half_close) c.client.close();
}

TimeUs next_hour(const Connection& c, TimeUs now) {
  if (!c.requested) return c.request_at;
  if (c.close_at != kNever && c.close_at > now) return c.close_at;
  const TimeUs patience_ends = c.opened_at + kPatienceUs;
  return patience_ends > now ? patience_ends : kNever;
}

void on_response(Connection& c, TimeUs now, Outbox& out) {
  switch (c.plan.mode) {
    case CloseMode::client_first:
      return c.client.close();
    case CloseMode::client_reset:
      return c.client.abort(now, out);
    case CloseMode::client_vanishes:
      c.gone = true;
      return;
    default:
      return;
  }
}

}  // namespace

void run_client(Connection& c, TimeUs now, Outbox& out) {
  const TcpState state = c.client.state();
  if (state < TcpState::established) return;
  if (c.opened_at == 0) {
    if (c.plan.mode == CloseMode::no_final_ack) {
      c.gone = true;
      return;
    }
    on_opened(c, now);
  }
  if (!c.requested && now >= c.request_at) send_request(c);
  if (c.requested && c.client.received() >= c.plan.response_bytes) on_response(c, now, out);
  if (now >= c.close_at) c.client.close();
  if (c.requested && c.client.peer_closed()) {
    if (state == TcpState::close_wait) c.client.write(c.plan.late_bytes);
    c.client.close();
  }
  if (now >= c.opened_at + kPatienceUs) c.client.abort(now, out);
  c.app_at = next_hour(c, now);
}

void run_server(const Plan& plan, TimeUs close_at, ServerState& state, Tcp& tcp, TimeUs now,
                Outbox& out) {
  if (tcp.state() < TcpState::established) return;
  if (state.opened_at == 0) state.opened_at = now;
  const TimeUs patience_ends = state.opened_at + kServerPatienceUs;
  if (now >= patience_ends) return tcp.abort(now, out);
  const bool waits_to_close = plan.mode == CloseMode::simultaneous && now < close_at;
  state.app_at = waits_to_close && close_at != kNever ? close_at : patience_ends;
  if (!state.responded && tcp.received() >= plan.request_bytes) {
    state.responded = true;
    tcp.write(plan.response_bytes);
    if (plan.mode == CloseMode::backend_first || plan.mode == CloseMode::backend_half_close)
      tcp.close();
  }
  if (!state.responded) return;
  if (plan.mode == CloseMode::backend_reset && tcp.state() == TcpState::established) {
    tcp.flush(now, out);
    if (tcp.sent_all()) return tcp.abort(now, out);
  }
  if (plan.mode == CloseMode::simultaneous && now >= close_at) tcp.close();
  if (tcp.peer_closed()) tcp.close();
}

}  // namespace sluice::sim
