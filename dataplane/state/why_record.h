// SPDX-License-Identifier: BSD-3-Clause
// What is remembered of a handshake that was refused, failed, was reset or had to be healed, for
// who asks later: `sluicectl why`.
#pragma once

#include <cstdint>

#include "dataplane/net/address.h"
#include "dataplane/net/drop_reason.h"
#include "dataplane/net/protocol.h"
#include "dataplane/state/flow_record.h"
#include "dataplane/state/packet_view.h"

namespace sluice {

enum class WhyOutcome : uint8_t { kRefused, kFailed, kReset, kHealed };

struct WhyRecord {
  uint64_t wall_clock_ms;
  net::Endpoint client, vip;
  net::Protocol protocol;
  WhyOutcome outcome;
  bool is_drop;  // `reason` says why; else `end` does, but for kHealed
  net::DropReason reason;
  FlowEnd end;
  bool has_packet;  // `packet` is the one that decided it; false: a timer did, or an operator
  bool from_client;
  bool has_flow;  // `flow` is as it was before, and what follows is set
  uint8_t syns;   // of the client, up to 3
  PacketView packet;
  FlowView flow;
  uint32_t sequence;  // of its SYN, as the client sent it
  uint32_t age_ms;    // since the SYN, or the first datagram
};

}  // namespace sluice
