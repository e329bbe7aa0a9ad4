// SPDX-License-Identifier: BSD-3-Clause
// The invariants on packets: everything that leaves the balancer is held against what was really
// said.
#include "tests/simulation/checker.h"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstring>

#include "tests/simulation/flood.h"
#include "tests/simulation/network.h"

namespace sluice::sim {
namespace {

const Spoken* speaker_of(const Connection& c, uint32_t seq) {
  for (const Spoken& spoken : c.backend_spoke)
    if (spoken.any && spoken.covers_seq(seq)) return &spoken;
  return nullptr;
}

bool sack_lies_within(const Segment& s, const Spoken& spoken) {
  for (unsigned i = 0; i < s.sack_count; i++)
    if (!spoken.covers_seq(s.sack[i].left) || !spoken.covers_seq(s.sack[i].right)) return false;
  return true;
}

}  // namespace

Checker::Checker(const Scenario& scenario, const Site& site, Connections& connections, Trace& trace)
    : scenario_(scenario), site_(site), connections_(connections), trace_(trace) {}

void Checker::fail(const char* invariant, ConnectionId connection, const char* format, ...) {
  figures_.violations++;
  if (violation_ || only_count_) return;  // the first one tells the story
  char text[256];
  va_list args;
  va_start(args, format);
  std::vsnprintf(text, sizeof text, format, args);
  va_end(args);
  violation_ = Violation{now_, invariant, text, connection};
}

void Checker::leaves_balancer(Side side, FrameView frame, TimeUs now) {
  now_ = now;
  figures_.packets++;
  check_size(side, frame);
  if (PathError error; decode(frame, error)) return error_leaves(side, error);
  Segment s;
  const Decoded decoded = decode(frame, s);
  if (decoded != Decoded::ok)
    return fail("checksums", kNobody, "the balancer sent a frame with %s", name_of(decoded));
  if (s.ttl == 0) return fail("checksums", kNobody, "the balancer sent a frame with TTL 0");
  if (s.window == kStrangersWindow) return;  // its receiver judges it
  uint8_t mac[6];
  write_mac(mac, is_spoofed(s.destination) ? site_.gateway_ip : s.destination.ip);
  const bool routed = s.destination.ip == site_.vip.ip;  // only the direct path sends there
  if (!routed && std::memcmp(mac, frame.data(), 6) != 0)
    return fail("delivery", kNobody, "the Ethernet address is not that of the IPv4 destination");
  side == Side::client ? to_client(s) : to_backend(s);
}

// ---- towards the backends ----

void Checker::to_backend(const Segment& s) {
  const Tuple tuple{s.source, s.destination};
  if (s.is_syn()) return syn_to_backend(s, tuple);
  end_handshake(key_of(tuple), s);
  const auto owner = owners_.find(key_of(tuple));
  const ConnectionId id = owner == owners_.end() ? kNobody : owner->second;
  trace_.note(now_, Place::balancer_to_backend, s, id);
  if (scenario_.rewrite_timestamps) check_host_clock(s, id);
  if (id == kNobody) return fail("delivery", kNobody, "a packet on a tuple that no SYN has opened");
  Connection* c = connections_.find(id);
  if (c == nullptr) return;  // long over
  c->touched_at = now_;
  if (s.is(kFin)) c->fin_inbound = true;
  const bool fits = fits_inbound(*c, s);
  if (s.is(kRst)) {
    // What comes back on a tuple that was left is answered in its own numbers; and a heal clears
    // the backend with numbers of the connection that was there before.
    if (c->tuple != tuple || (!c->answered && !fits)) return;
    c->reset_seen = true;
  }
  if (!fits) {
    const Connection* before = connections_.find(c->previous);
    const bool late =
        before != nullptr &&
        (before->client_spoke.covers_seq(s.seq - c->seq_offset) ||
         before->client_spoke.covers_seq(before_header(*before, s.seq - c->seq_offset)));
    if (!late) fail("delivery", id, "sent to the backend: not what this client has said");
  }
}

void Checker::syn_to_backend(const Segment& s, const Tuple& tuple) {
  trace_.note(now_, Place::balancer_to_backend, s, s.identity);
  if (scenario_.rewrite_timestamps) check_host_clock(s, s.identity);
  if (s.has_identity && (s.identity & kSpoofedBit) != 0) return spoofed_syn(s, tuple);
  Connection* c = s.has_identity ? connections_.find(s.identity) : nullptr;
  if (c == nullptr) return fail("delivery", kNobody, "a SYN of nobody, or without its options");
  const TcpSetup& own = c->client.setup();
  const bool options_kept = s.mss == mss_expected() && s.sack_permitted == own.sack &&
                            s.has_window_scale && s.window_scale == own.window_scale &&
                            s.has_timestamps == own.timestamps;
  if (!options_kept) return fail("delivery", c->id, "the options of the SYN are not the client's");
  if (s.payload_size != 0) return fail("delivery", c->id, "the SYN carries bytes");
  const auto known = std::find(site_.backends.begin(), site_.backends.end(), tuple.backend);
  if (known == site_.backends.end() && tuple.backend != site_.vip)
    return fail("delivery", c->id, "the SYN goes to no backend of the service");
  take_tuple(*c, s, tuple);
}

void Checker::own(const Tuple& tuple, ConnectionId id, uint32_t seq) {
  ConnectionId& owner = owners_[key_of(tuple)];
  if (scenario_.flood_per_ms != 0) begin_handshake(tuple, key_of(tuple), id, seq);
  if (owner == id) return;
  const Connection* old = connections_.find(owner);
  if (old != nullptr && old->tuple == tuple && !is_closed(*old))
    fail("tuple", id, "its tuple still belongs to #%u, a live connection", owner);
  owner = id;
}

void Checker::take_tuple(Connection& c, const Segment& syn, const Tuple& tuple) {
  own(tuple, c.id, syn.seq);
  const uint32_t seq_offset = syn.seq - c.client_spoke.first_seq;
  const bool anew = !c.has_tuple || c.tuple != tuple || c.seq_offset != seq_offset;
  if (anew && c.has_tuple && scenario_.syn_copies != 0 && c.rejects == 0 &&
      now_ - c.moved_at < kSecond / 2)
    fail("copies", c.id, "its SYN goes another way %" PRIu64 " us after the last",
         now_ - c.moved_at);
  if (anew) c.moved_at = now_;
  if (!c.has_tuple) check_limit(c);
  if (anew) c.answered = c.reset_seen = c.fin_inbound = c.fin_outbound = false;
  c.has_tuple = true;
  c.tuple = tuple;
  c.seq_offset = seq_offset;
  c.touched_at = now_;
  if (!syn.has_timestamps) return;
  c.ts_offset_low = syn.tsval - c.client.setup().clock.at(now_);
  c.ts_offset_high = syn.tsval - c.client.setup().clock.at(c.client_spoke.since);
}

bool Checker::is_closed(const Connection& c) const {
  if (c.forgotten || c.reset_seen || (c.fin_inbound && c.fin_outbound)) return true;
  if (restarted_at_ != 0 && c.started_at <= restarted_at_) return true;
  const BalancerTimeouts& t = scenario_.timeouts;
  const bool closing = c.fin_inbound || c.fin_outbound;
  const uint32_t idle_ms = !c.syn_ack_passed ? t.syn_ms
                           : closing         ? t.closing_ms
                           : c.requested     ? t.established_ms
                                             : std::min(t.syn_ms, t.established_ms);
  return now_ - c.touched_at >= idle_ms * kMillisecond;
}

// A number of the client's as it was before a header was put in front of its first byte; those of
// the header are that byte's.
uint32_t Checker::before_header(const Connection& c, uint32_t seq) const {
  const uint32_t first = c.client_spoke.first_seq + 1;
  const uint32_t header = scenario_.header_bytes;
  if (header == 0 || before(seq, first)) return seq;
  return before(seq, first + header) ? first : seq - header;
}

bool Checker::fits_inbound(Connection& c, const Segment& s) {
  const uint32_t seq = before_header(c, s.seq - c.seq_offset);
  const uint32_t end = before_header(c, s.end() - c.seq_offset);
  if (!c.client_spoke.covers_seq(seq) || !c.client_spoke.covers_seq(end)) return false;
  if (s.is(kRst)) return true;
  const Spoken* backend = speaker_of(c, s.ack);
  if (!s.is(kAck) || backend == nullptr || !sack_lies_within(s, *backend)) return false;
  if (s.has_timestamps != c.client.timestamps()) return false;
  if (!s.has_timestamps) return true;
  return backend->covers_tsval(s.tsecr, now_) && narrow_ts_offset(c, s.tsval);
}

// The offset itself cannot be seen, but each packet bounds it by what the client's clock has shown;
// bounds that do not meet mean that it was not one offset.
bool Checker::narrow_ts_offset(Connection& c, uint32_t tsval) {
  if (scenario_.rewrite_timestamps) return true;
  const TimestampClock& clock = c.client.setup().clock;
  const uint32_t low = tsval - clock.at(now_);
  const uint32_t high = tsval - clock.at(c.client_spoke.since);
  if (after(low, c.ts_offset_low)) c.ts_offset_low = low;
  if (before(high, c.ts_offset_high)) c.ts_offset_high = high;
  return !after(c.ts_offset_low, c.ts_offset_high);
}

// A backend that judges timestamps by host sees one host behind each local address.
void Checker::check_host_clock(const Segment& s, ConnectionId id) {
  if (!s.has_timestamps) return;
  const auto [entry, fresh] =
      host_tsval_.try_emplace(uint64_t{s.source.ip} << 32 | s.destination.ip, s.tsval);
  if (fresh) return;
  // Only SYNs are judged so; within a connection a slow clock may lag behind the others.
  if (s.is_syn() && before(s.tsval, entry->second))
    fail("clock", id, "a SYN with TSval %u after %u from the same local address", s.tsval,
         entry->second);
  if (after(s.tsval, entry->second)) entry->second = s.tsval;
}

// ---- towards the clients ----

void Checker::to_client(const Segment& s) {
  if (is_spoofed(s.destination)) return to_spoofed(s);
  const auto found = by_client_.find(key_of(s.destination));
  const ConnectionId id = found == by_client_.end() ? kNobody : found->second;
  trace_.note(now_, Place::balancer_to_client, s, id);
  if (id == kNobody) return fail("delivery", kNobody, "a packet to a client that never was");
  if (s.source != site_.vip) return fail("delivery", id, "a packet to a client not from the VIP");
  Connection* c = connections_.find(id);
  if (c == nullptr) return;
  if (!fits_outbound(*c, s)) {
    Connection* before = connections_.find(c->previous);
    if (before != nullptr && fits_outbound(*before, s)) return;
    if (is_harmless_echo_of_the_past(*c, s)) return;
    // Where there is no connection any more, a stranger is answered with his own numbers.
    if (scenario_.stranger_every_us != 0 && s.is(kRst)) return;
    const bool answers_syn = !c->syn_ack_passed && !s.is(kSyn) && !s.is(kRst);
    return fail(answers_syn ? "bare_ack" : "delivery", id,
                "sent to the client: not what its backend has said to it");
  }
  c->touched_at = now_;
  if (s.is(kFin)) c->fin_outbound = true;
  if (s.is(kRst)) c->reset_seen = true;
  if (s.is_syn_ack()) {
    if (!s.has_identity || s.identity != id)
      return fail("delivery", id, "the SYN-ACK is that of #%u", s.identity);
    if (s.mss != mss_expected()) return fail("mtu", id, "the SYN-ACK states an MSS of %u", s.mss);
    c->syn_ack_passed = c->answered = true;
  }
  if (!c->syn_ack_passed && !s.is(kRst))
    fail("bare_ack", id, "the client's SYN is answered with something else than a SYN-ACK");
}

// Where links keep no order, an ACK of the tuple's last connection may arrive when the next is
// open. If its numbers happen to lie before those of the new one, by less than a window, no
// middlebox can tell; and once the new one is over as well nobody asks. The client drops it as old.
bool Checker::is_harmless_echo_of_the_past(const Connection& c, const Segment& s) const {
  constexpr uint32_t kShortly = 1u << 24;
  if (scenario_.orderly() || c.opened_at == 0 || s.flags != kAck || s.payload_size != 0)
    return false;
  const bool just_before =
      before(s.seq, c.client.rcv_nxt()) && c.client.snd_max() - s.ack < kShortly;
  return just_before || is_closed(c);
}

bool Checker::fits_outbound(Connection& c, const Segment& s) {
  if (s.is(kAck) && !c.client_spoke.covers_seq(s.ack)) return false;
  const Spoken* backend = speaker_of(c, s.seq);
  // A refusal has no sequence of its own, and a reset of what nobody remembers has the client's.
  if (s.is(kRst)) return backend != nullptr || s.seq == 0 || c.started_at <= restarted_at_;
  if (!s.is(kAck) || backend == nullptr || !backend->covers_seq(s.end())) return false;
  if (!sack_lies_within(s, c.client_spoke)) return false;
  if (!s.has_timestamps) return !c.client.timestamps() || !c.syn_ack_passed;
  if (!backend->covers_tsval(s.tsval, now_)) return false;
  if (c.client_spoke.covers_tsval(s.tsecr, now_)) return true;
  fail("echo", c.id, "TSecr %u is no TSval of this client", s.tsecr);
  return true;
}

}  // namespace sluice::sim
