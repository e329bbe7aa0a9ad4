// SPDX-License-Identifier: BSD-3-Clause
// The invariants on the ends: who opens, who is rejected, how it ends, what is left.
#include <algorithm>
#include <cinttypes>
#include <iterator>

#include "tests/simulation/checker.h"

namespace sluice::sim {

void Checker::restarted(TimeUs now) {
  restarted_at_ = now;
  figures_.restarts++;
}

void Checker::opens(Connection& c, const Address& client) {
  by_client_[uint64_t{client.ip} << 16 | client.port] = c.id;
  figures_.started++;
}

// A connection that was on its way when the balancer lost its memory is lost with it.
bool Checker::is_lost(const Connection& c) const {
  return restarted_at_ != 0 && c.started_at <= restarted_at_;
}

// Its backend died while its SYN was on the way there; or the connection before it from the same
// port was lost with its backend, which has to be silent for as long as a client waits before its
// SYN goes elsewhere.
bool Checker::met_a_death(const Connection& c) const {
  constexpr TimeUs kOnTheWayUs = 5 * kMillisecond;
  if (died_at_ >= c.started_at && died_at_ - c.started_at < kOnTheWayUs) return true;
  const Connection* before = connections_.find(c.previous);
  return scenario_.death_every_us != 0 && before != nullptr && before->forgotten;
}

// What the balancer could not know: what went before its restart, and what the links kept from it.
bool Checker::could_not_know(ConnectionId old) const {
  if (!scenario_.orderly()) return true;
  if (lost_track_.contains(old)) return true;
  if (restarted_at_ == 0) return false;
  const Connection* c = connections_.find(old);
  return c == nullptr || is_lost(*c);
}

void Checker::backend_accepts(ConnectionId id, const TcpSetup& setup, TimeUs now) {
  Connection* c = connections_.find(id);
  if (c == nullptr) return;
  c->backend_spoke[1] = c->backend_spoke[0];
  c->backend_spoke[0] = {true, setup.iss, setup.iss + 1, setup.clock, now};
}

void Checker::syn_in_time_wait(ConnectionId syn, ConnectionId old, const TimeWait& wait,
                               TimeWaitVerdict verdict) {
  figures_.syns_in_time_wait++;
  if (scenario_.reuse == Reuse::never && !could_not_know(old))
    return fail("time_wait", syn, "a SYN on a tuple that #%u has left in TIME_WAIT", old);
  if (verdict == TimeWaitVerdict::reopen) return;
  figures_.rejected++;
  Connection* c = connections_.find(syn);
  if (c == nullptr) return;
  c->rejects++;
  if (verdict == TimeWaitVerdict::drop) {
    c->silent_rejects++;
    figures_.rejected_silently++;
  }
  if (!could_not_know(old))
    fail("time_wait", syn,
         "its SYN is not taken: #%u has left TIME_WAIT (%s) with rcv_nxt %u, TS %s%u", old,
         name_of(wait.stack), wait.rcv_nxt, wait.timestamps ? "" : "none ", wait.ts_recent);
}

void Checker::syn_on_live_socket(ConnectionId syn, ConnectionId old, TcpState state) {
  figures_.on_live_socket++;
  if (Connection* c = connections_.find(syn)) c->rejects++;
  if (!could_not_know(old))
    fail("tuple", syn, "its SYN meets #%u, which the backend holds in %s", old, name_of(state));
}

// Version 2, section 2.2 of proxy-protocol.txt. Of IPv6 the ports alone are looked at.
bool Checker::is_header_right(const Connection& c, std::span<const uint8_t> header) const {
  static constexpr uint8_t kHead[] = {13, 10, 13, 10, 0, 13, 10, 'Q', 'U', 'I', 'T', 10, 0x21};
  if (!std::equal(std::begin(kHead), std::end(kHead), header.begin())) return false;
  const auto word = [&](size_t at) {
    return static_cast<uint32_t>(header[at] << 8 | header[at + 1]);
  };
  const bool v4 = header[13] == 0x11;
  const size_t ports = v4 ? 24 : 48;
  if (word(14) + 16 != header.size() || (!v4 && header[13] != 0x21)) return false;
  const Address client = c.client_address();
  if (word(ports) != client.port || word(ports + 2) != site_.vip.port) return false;
  return !v4 ||
         ((word(16) << 16 | word(18)) == client.ip && (word(20) << 16 | word(22)) == site_.vip.ip);
}

void Checker::backend_received(ConnectionId id, const Tcp& tcp) {
  if (tcp.corrupt()) return fail("delivery", id, "the backend got bytes of another stream");
  const Connection* c = connections_.find(id);
  if (c != nullptr && tcp.has_header() && !is_header_right(*c, tcp.header()))
    return fail("proxy", id, "the backend's header is not that of this client");
  if (c == nullptr || tcp.ending() != Ending::aborted || c->plan.mode != CloseMode::idle) return;
  if (c->end_lost) return;
  if (resets_idle_ && scenario_.orderly() && !is_lost(*c))
    fail("reset", id, "the backend was never reset when the idle connection's time was over");
}

void Checker::client_received(Connection& c) {
  if (c.client.corrupt()) return fail("delivery", c.id, "the client got bytes of another stream");
  if (c.client.saw_bare_ack_to_syn() && scenario_.orderly())
    return fail("bare_ack", c.id, "the client's SYN is answered with a bare ACK");
  if (c.opened_at == 0 && c.client.state() >= TcpState::established) check_opened(c);
}

void Checker::check_opened(Connection& c) {
  figures_.opened++;
  check_took(c);
  if (c.seq_offset != 0) figures_.seq_fixes++;
  if (c.client.timestamps() && !within(0, c.ts_offset_low, c.ts_offset_high)) figures_.ts_fixes++;
  if (c.client.syns_sent() == 1) {
    if (c.rejects != 0) figures_.healed++;
    return;
  }
  figures_.waited++;
  if (met_a_death(c) && c.client.syns_sent() == 2) return;
  if (c.client.syns_sent() <= 1u + c.lost_to_kills + needs_healing_anew(c)) return;
  if (scenario_.may_wait) return;
  if (scenario_.lossless() && !is_lost(c) && c.silent_rejects == 0)
    fail("opens", c.id, "opened only by the client's own second SYN");
}

void Checker::client_done(Connection& c) {
  figures_.done_by_mode[static_cast<unsigned>(c.plan.mode)]++;
  if (c.client.saw_bare_ack_to_syn()) figures_.bare_acks++;
  if (c.plan.mode == CloseMode::syn_only || c.forgotten) return;
  if (c.client.state() >= TcpState::established || c.opened_at != 0) return check_ending(c);
  const bool refused = c.client.ending() == Ending::refused;
  refused ? figures_.refused++ : figures_.not_opened++;
  if ((refused && scenario_.may_refuse) || (is_lost(c) && c.silent_rejects != 0)) return;
  fail("opens", c.id, "%s, after %u SYNs", refused ? "refused" : "never answered",
       c.client.syns_sent());
}

void Checker::check_ending(Connection& c) {
  const Ending ending = c.client.ending();
  if (c.gone || is_lost(c) || c.end_lost) return;
  const bool reset = ending == Ending::reset || ending == Ending::refused;
  if (reset) figures_.reset++;
  if (ending == Ending::gave_up) figures_.gave_up++;
  if (c.plan.mode == CloseMode::idle) {
    if (resets_idle_ && scenario_.orderly() && !reset)
      fail("reset", c.id, "the client was never reset when the idle connection's time was over");
    return;
  }
  if (c.client.received() != c.plan.response_bytes && c.plan.mode != CloseMode::backend_reset)
    return fail("completes", c.id, "ended in %s with %u of %u bytes", name_of(ending),
                c.client.received(), c.plan.response_bytes);
  const bool planned = c.plan.mode == CloseMode::client_reset ? ending == Ending::aborted
                       : c.plan.mode == CloseMode::backend_reset
                           ? reset
                           : ending == Ending::graceful || c.client.state() == TcpState::time_wait;
  if (!planned && scenario_.orderly())
    fail("completes", c.id, "ended in %s, which was not the plan", name_of(ending));
}

void Checker::drained(const Account& a, TimeUs now) {
  now_ = now;
  if (!a.known) return;
  if (a.flows != 0 || a.ports_in_use != 0 || a.ports_free != a.ports_total || a.buffers != 0)
    fail("leak", kNobody,
         "at the end: %" PRIu64 " flows, %" PRIu64 " ports in use, %" PRIu64 " of %" PRIu64
         " free, %" PRIu64 " packet buffers held",
         a.flows, a.ports_in_use, a.ports_free, a.ports_total, a.buffers);
  if (a.clients_active != 0)
    fail("limits", kNobody, "at the end clients are said to have %" PRIu64 " connections open",
         a.clients_active);
  if (a.unaccounted != 0)
    fail("accounts", kNobody, "%" PRId64 " packets came in and became nothing that is counted",
         a.unaccounted);
}

}  // namespace sluice::sim
