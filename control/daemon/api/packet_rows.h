// SPDX-License-Identifier: BSD-3-Clause
// Packets and flows as `trace` and `why` answer them.
#pragma once

#include <nlohmann/json.hpp>

#include "dataplane/net/protocol.h"
#include "dataplane/state/packet_view.h"

namespace sluice::control {

nlohmann::json packet_row(const PacketView& packet, net::Protocol protocol);
nlohmann::json flow_row(const FlowView& flow);

}  // namespace sluice::control
