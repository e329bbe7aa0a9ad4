// SPDX-License-Identifier: BSD-3-Clause
// Whether a service answers by SYN cookies (syn_cookies.h), and what it learns to do so.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Whether the service answers a SYN itself now.
bool answers_by_cookie(const Core& core, const ServiceView& service);

/// A flow was opened: its backend has that many unfinished handshakes now.
void note_half_open(Core& core, const Flow& flow);
/// What a backend agrees to, asked for once in so long.
inline constexpr uint32_t kLearnEveryMs = 1'000;
void learn_offer(Core& core, const Flow& flow, const net::TcpHeader& syn_ack);

}  // namespace sluice
