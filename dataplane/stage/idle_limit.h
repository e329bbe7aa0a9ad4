// SPDX-License-Identifier: BSD-3-Clause
// How long a flow may be silent, and how long it has been.
//
// Under pressure, while unfinished handshakes hold more than half of what they may (and are more
// than a few), one of them has kUsefulMs in place of the configured time: within that a lost SYN,
// SYN-ACK or ACK has been sent again twice. UDP flows without an answer are held to the same.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

inline constexpr uint32_t kUsefulMs = 4'000;

/// Of the state that the flow is in.
uint32_t idle_limit_ms(const Core& core, const Flow& flow);
/// Under pressure, where a handshake's client has not repeated its SYN, the handshake's age: a
/// backend that asks a spoofed source again is no sign of life.
uint32_t idle_ms(const Core& core, const Flow& flow);
/// Whether it is for pressure alone that a flow's time is over.
bool ends_early(const Core& core, const Flow& flow);

/// Whether the client of an unfinished handshake has sent its SYN again.
inline bool has_repeated(const Flow& flow) {
  return flow.half_open.rank == HalfOpenLinks::Rank::kRepeated;
}
/// The unfinished handshakes of the flow's backend.
inline HalfOpenQueue& half_open_queue(const Core& core, const Flow& flow) {
  return core.registry.paths[flow.path].backend->half_open;
}

}  // namespace sluice
