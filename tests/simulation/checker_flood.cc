// SPDX-License-Identifier: BSD-3-Clause
// The invariants in a flood: what unfinished handshakes may hold, how they end, and who connects
// all the same.
#include <algorithm>
#include <cinttypes>

#include "tests/simulation/checker.h"
#include "tests/simulation/flood.h"

namespace sluice::sim {
namespace {

// Until a flood is taken for one: a burst of real clients is none.
constexpr TimeUs kNoticedUs = 1 * kSecond;
// Handshakes of a flood that is over are left alone for so long.
constexpr TimeUs kProtectedUs = 500 * kMillisecond;
constexpr TimeUs kThirdSynUs = 3'100 * kMillisecond;
constexpr TimeUs kAtOnceUs = 100 * kMillisecond;
// A SYN that is repeated is let in where one handshake made way, though the limit is reached still.
constexpr uint64_t kBeyondMax = 2;

}  // namespace

void Checker::set_flood(bool on) {
  flood_on_ = on;
  flood_changed_at_ = now_;
}

// A spoofed SYN, sent to a backend.
void Checker::spoofed_syn(const Segment& s, const Tuple& tuple) {
  if (s.payload_size != 0) return fail("delivery", kNobody, "a spoofed SYN carries bytes");
  figures_.spoofed++;
  own(tuple, s.identity, s.seq);
}

void Checker::begin_handshake(const Tuple& tuple, uint64_t key, ConnectionId id, uint32_t seq) {
  const auto [entry, fresh] = unfinished_.try_emplace(key, Unfinished{id, seq + 1, tuple.backend});
  if (!fresh) {
    if (entry->second.id != id)
      fail("evicted", id, "its tuple was taken from #%u, whose backend was not reset",
           entry->second.id);
    entry->second = {id, seq + 1, tuple.backend};
    return;
  }
  uint64_t& of_backend = unfinished_of_[tuple.backend.ip];
  of_backend++;
  if (!resets_idle_ || !flood_on_ || now_ - flood_changed_at_ < kNoticedUs) return;
  figures_.unfinished_max = std::max<uint64_t>(figures_.unfinished_max, unfinished_.size());
  if (of_backend > scenario_.ports() / scenario_.backends / 2 + kBeyondMax)
    fail("half_open", id, "%" PRIu64 " handshakes hold more than half of a backend's ports",
         of_backend);
  if (unfinished_.size() > scenario_.flows_max / 2 + kBeyondMax)
    fail("half_open", id, "%zu handshakes hold more than half of the table", unfinished_.size());
}

// Any other segment to the backend ends it: the client's ACK, or a RST.
void Checker::end_handshake(uint64_t key, const Segment& s) {
  const auto found = unfinished_.find(key);
  if (found == unfinished_.end()) return;
  const Unfinished was = found->second;
  unfinished_of_[was.backend.ip]--;
  unfinished_.erase(found);
  if ((was.id & kSpoofedBit) != 0 && s.seq != was.expected)
    fail("evicted", was.id, "its backend is reset at %u and expects %u", s.seq, was.expected);
}

void Checker::to_spoofed(const Segment& s) {
  const uint32_t isn = spoofed_isn(spoofed_number(s.destination));
  if (s.source != site_.vip || (!s.is_syn_ack() && !s.is(kRst)) ||
      (s.is_syn_ack() && s.ack != isn + 1))
    fail("delivery", kNobody, "sent to a spoofed source: not the answer to its SYN");
}

// Every real client gets in by its third SYN; by its first, once the flood is over.
void Checker::check_took(const Connection& c) {
  if (scenario_.flood_per_ms == 0) return;
  const TimeUs took = now_ - c.started_at;
  figures_.slowest_us = std::max<uint64_t>(figures_.slowest_us, took);
  const bool after = !flood_on_ && c.started_at >= flood_changed_at_ + kProtectedUs;
  if (took > kThirdSynUs || (after && took > kAtOnceUs))
    fail("flood", c.id, "connected after %" PRIu64 " us%s", took, after ? ", the flood over" : "");
}

}  // namespace sluice::sim
