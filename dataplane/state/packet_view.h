// SPDX-License-Identifier: BSD-3-Clause
// The essentials of a packet and of a flow, copied for who looks at them later: `trace` and `why`.
#pragma once

#include <cstdint>

#include "dataplane/net/address.h"
#include "dataplane/net/rewrite.h"
#include "dataplane/state/flow.h"

namespace sluice {

/// A segment's header; of UDP addresses, payload and TTL alone.
struct PacketView {
  net::Endpoint source, destination;
  uint32_t sequence;
  uint32_t acknowledgement;
  uint32_t tsval;
  uint32_t tsecr;
  uint16_t window;
  uint16_t payload_bytes;
  uint8_t flags;
  uint8_t ttl;
  bool timestamps;
};

struct FlowView {
  net::Endpoint local, backend;
  net::SeqAdjust adjust;
  FlowState state;
  PortReuse reuse;
  bool rewritten;  // timestamps on the balancer's clock
  uint8_t heals;
};

}  // namespace sluice
