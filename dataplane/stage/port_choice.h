// SPDX-License-Identifier: BSD-3-Clause
// Where a flow's local port is chosen, by what resting ports remember of their tuples.
#pragma once

#include <optional>

#include "dataplane/stage/core.h"

namespace sluice {

/// A local port towards a backend, and how its tuple may be used again.
struct PortChoice {
  PathId path;
  PortPool::Taken taken;
};

/// A port towards `backend` for a SYN with these numbers, by the rules in force. The backend's
/// local addresses are asked in turn; where fits are allowed, they are asked for after ports that
/// need none.
/// `known_first` asks for a tuple whose past is known before one that may hold a surprise: for a
/// SYN that has just met one.
std::optional<PortChoice> choose_port(Core& core, const BackendView& backend, bool rewrite,
                                      const SynNumbers& syn, bool known_first);

/// A local port towards `backend` for a UDP flow. The backend's local addresses are asked in turn;
/// of each, 1 / `kept` of its ports is left for others (0: none).
std::optional<PortChoice> choose_udp_port(Core& core, const BackendView& backend, uint32_t kept);

/// Gives a flow, whose key is set, the port that was chosen; its addresses are complete then.
void set_port(Core& core, uint32_t index, const PortChoice& choice);

SynNumbers syn_numbers(const net::TcpHeader& syn);

/// What the flow's tuple leaves at the backend as of now.
PriorIncarnation prior_incarnation(const Core& core, const Flow& flow);

}  // namespace sluice
