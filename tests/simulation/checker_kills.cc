// SPDX-License-Identifier: BSD-3-Clause
// What a kill excuses, beside which all invariants hold across it:
//
//   - Packets of the burst in hand, and what the core had made and not sent, are lost, as if they
//     were lost on the link behind it. A SYN or its answer among them costs its client a SYN more.
//     A RST, and the ACK of the last FIN, nobody repeats: its addressee goes on, and where the core
//     has seen it, it knows a connection to be over that the backend, or the client, still holds.
//   - A handshake without an answer whose packet was just in hand may be forgotten: its client
//     begins anew, on another tuple, and what its backend holds of this one nobody knows.
//   - Copies of SYNs are not kept: one that met a backend that was not through with its tuple is
//     healed by its client's next SYN where the core was killed meanwhile.
//
// What is open goes on, whatever packet of it was in hand. A packet in wrong hands, a tuple that is
// two connections', a port that is lost, a SYN on a tuple whose end could be known: no excuse.
#include "tests/simulation/checker.h"

namespace sluice::sim {

void Checker::killed(std::span<const FrameView> burst, size_t at, TimeUs now) {
  now_ = killed_at_ = now;
  figures_.kills++;
  for (size_t i = 0; i < burst.size(); i++) {
    Segment s;
    if (decode(burst[i], s) != Decoded::ok) continue;
    const auto client = by_client_.find(key_of(s.source));
    const auto owner = owners_.find(key_of(Tuple{s.destination, s.source}));
    const ConnectionId id = client != by_client_.end() ? client->second
                            : owner != owners_.end()   ? owner->second
                                                       : kNobody;
    if (Connection* c = connections_.find(id)) meets_a_kill(*c, s, i <= at, i == at);
  }
}

void Checker::meets_a_kill(Connection& c, const Segment& s, bool was_seen, bool was_in_hand) {
  c.lost_to_kills++;
  const bool ends = s.is(kRst) || (c.fin_inbound && c.fin_outbound);
  if (ends && (was_seen || s.is(kRst))) c.end_lost = true;
  if ((ends && was_seen) || (!c.answered && was_in_hand)) {
    c.reset_seen |= s.is(kRst) || !c.answered;
    lost_track_.insert(c.id);
  }
}

bool Checker::needs_healing_anew(const Connection& c) const {
  return c.rejects != 0 && killed_at_ >= c.started_at;
}

Connection* Checker::addressee_of(Side side, const Segment& s) {
  if (side == Side::client) {
    const auto client = by_client_.find(key_of(s.destination));
    return client == by_client_.end() ? nullptr : connections_.find(client->second);
  }
  const auto owner = owners_.find(key_of(Tuple{s.source, s.destination}));
  return owner == owners_.end() ? nullptr : connections_.find(owner->second);
}

// The packets of the burst among them are known already, but by their numbers only.
void Checker::lost_in_kill(Side side, FrameView frame) {
  Segment s;
  if (decode(frame, s) != Decoded::ok) return;
  if (side == Side::backend && s.is_syn()) {
    // The core may know its tuple from now on, and tell a later owner's backend of it.
    Connection* sender = s.has_identity ? connections_.find(s.identity) : nullptr;
    if (sender != nullptr) take_tuple(*sender, s, {s.source, s.destination});
    return;
  }
  Connection* c = addressee_of(side, s);
  if (c == nullptr || !s.is(kRst)) return;
  c->end_lost = c->reset_seen = true;
  lost_track_.insert(c->id);
}

void Checker::came_back(const Account& account) {
  figures_.kills_tried = account.kills_tried;
  if (!account.broken.empty()) fail("whole", kNobody, "%s", account.broken.c_str());
}

}  // namespace sluice::sim
