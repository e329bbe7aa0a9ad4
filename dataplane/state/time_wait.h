// SPDX-License-Identifier: BSD-3-Clause
// What a connection left behind at its backend, and whether a new SYN on the same tuple would be
// taken.
//
// A backend that closed first keeps the tuple in TIME_WAIT (60 s on Linux). Whether it lets a new
// connection in depends on two numbers of the new SYN against what it remembers:
//
//   Linux       net/ipv4/tcp_minisocks.c, tcp_timewait_state_process(): refuses when the
//               timestamps say "old" (PAWS), then takes a newer sequence number or timestamp
//   FreeBSD     takes a newer sequence number, drops anything else without an answer
//   RFC 6191    takes a newer timestamp, or an equal one with a newer sequence number; without
//               timestamps a newer sequence number (RFC 1122, section 4.2.2.13)
//
// Newer timestamp *and* newer sequence number satisfies them all; that is what an adjustment aims
// at. All numbers are serial (mod 2^32) and as the backend saw them.
#pragma once

#include <cstdint>

#include "dataplane/net/rewrite.h"
#include "dataplane/net/siphash.h"

namespace sluice {

/// What is known of a tuple that no flow uses.
struct PriorIncarnation {
  enum class Kind : uint8_t {
    kFresh,      // never used since Sluice started
    kAvailable,  // used, and the backend has forgotten it
    kTimeWait,   // the backend holds it in TIME_WAIT
  };

  uint32_t closed_ms = 0;  // when the flow ended, or when the backend last heard of the tuple
  uint32_t rcv_nxt = 0;    // next sequence number the backend expected (its RCV.NXT)
  uint32_t ts_recent = 0;  // newest TSval sent to the backend
  Kind kind = Kind::kFresh;
  bool timestamps = false;  // both ends had agreed on them
};
static_assert(sizeof(PriorIncarnation) == 16);

/// The numbers of a SYN that decide.
struct SynNumbers {
  uint32_t sequence = 0;
  uint32_t tsval = 0;
  bool timestamps = false;
};

/// Linux' rule (tcp_timewait_state_process()): would a backend in TIME_WAIT take this SYN?
bool linux_takes(const PriorIncarnation& prior, const SynNumbers& syn);

/// Would every stack named above take this SYN as it is?
bool all_take(const PriorIncarnation& prior, const SynNumbers& syn);

/// The smallest adjustment after which Linux, FreeBSD, RFC 6191 and RFC 1122 stacks all take the
/// SYN; no shift when they do as it is. New numbers lie an unpredictable step beyond the old ones,
/// so that neither a client's clock nor the next initial sequence number can be read from them (RFC
/// 6528).
net::SeqAdjust smallest_adjust(const PriorIncarnation& prior, const SynNumbers& syn,
                               net::Random& random);

/// A sequence shift alone, to an unpredictable number that every stack takes as newer.
uint32_t sequence_step(const PriorIncarnation& prior, const SynNumbers& syn, net::Random& random);

}  // namespace sluice
