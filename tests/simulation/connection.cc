// SPDX-License-Identifier: BSD-3-Clause
// Keeps what an end has said; names the ways to close.
#include "tests/simulation/connection.h"

namespace sluice::sim {

const char* name_of(CloseMode mode) {
  constexpr const char* kNames[kCloseModes] = {
      "backend first",   "client first",       "simultaneous",        "client resets",
      "backend resets",  "client half-closes", "backend half-closes", "idle",
      "client vanishes", "SYN only",           "no final ACK"};
  return kNames[static_cast<unsigned>(mode)];
}

void Spoken::note(const Segment& s, const TimestampClock& its_clock, TimeUs now) {
  if (!any) {
    any = true;
    first_seq = s.seq;
    max_seq = s.end();
    clock = its_clock;
    since = now;
  }
  if (after(s.end(), max_seq)) max_seq = s.end();
}

}  // namespace sluice::sim
