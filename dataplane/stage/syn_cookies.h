// SPDX-License-Identifier: BSD-3-Clause
// SYN cookies: in a flood SYNs are answered without keeping anything, and a flow begins with the
// acknowledgement that only who has seen the answer can send.
//
// A service begins with it when the handshakes of one of its backends hold half of what they may
// (admission.h), and ends when for two seconds nearly all that it answers comes back. What it
// offers in the backends' name, window scale, SACK and timestamps, is what they have agreed to
// last; until one has answered there are no cookies.
#pragma once

#include <optional>

#include "dataplane/stage/core.h"

namespace sluice {

/// Answers a SYN, in its own buffer.
net::Verdict answer_by_cookie(Core& core, const ServiceView& service, Segment& syn);

/// A segment of a client without a flow: where it acknowledges a cookie, its flow begins, and the
/// segment is consumed, or refused. Nothing where it does not.
std::optional<net::Verdict> open_by_cookie(Core& core, const ServiceView& service,
                                           Segment& segment);

}  // namespace sluice
