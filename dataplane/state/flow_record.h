// SPDX-License-Identifier: BSD-3-Clause
// What the flow log tells of a flow that has ended, and of a SYN that got none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/net/address.h"
#include "dataplane/net/drop_reason.h"
#include "dataplane/net/protocol.h"
#include "dataplane/state/flow.h"

namespace sluice {

// X(name, closed_by, reason)
#define SLUICE_FLOW_ENDS(X)                            \
  X(client_fin, "client_fin", "closed")                \
  X(backend_fin, "backend_fin", "closed")              \
  X(client_rst, "client_rst", "reset")                 \
  X(backend_rst, "backend_rst", "reset")               \
  X(header_refused, "backend_rst", "proxy_refused")    \
  X(refused, "backend_rst", "refused")                 \
  X(given_up, "client_rst", "given_up")                \
  X(timed_out, "timeout", "timed_out")                 \
  X(replaced, "balancer", "replaced")                  \
  X(reset_by_order, "balancer", "reset_by_order")      \
  X(heal_exhausted, "balancer", "heal_exhausted")      \
  X(evicted, "balancer", "evicted")                    \
  X(header_unanswered, "balancer", "proxy_unanswered") \
  X(answered, "backend", "answered")                   \
  X(unreachable, "backend_icmp", "refused")

/// Who ended it, and how.
enum class FlowEnd : uint8_t {
#define X(name, closed_by, reason) name,
  SLUICE_FLOW_ENDS(X)
#undef X
};

inline constexpr size_t kFlowEndCount = 0
#define X(name, closed_by, reason) +1
    SLUICE_FLOW_ENDS(X)
#undef X
    ;

struct FlowEndText {
  std::string_view closed_by;
  std::string_view reason;
};
constexpr FlowEndText text_of(FlowEnd end) {
  constexpr FlowEndText kTexts[] = {
#define X(name, closed_by, reason) {closed_by, reason},
      SLUICE_FLOW_ENDS(X)
#undef X
  };
  return kTexts[static_cast<size_t>(end)];
}

/// Of a flow that has ended; of one that was refused, its client, VIP, time and reason alone.
struct FlowRecord {
  net::Protocol protocol;
  net::Endpoint client, vip, local, backend;
  uint64_t start_ms;  // wall clock
  uint64_t end_ms;
  uint64_t bytes_in;  // payload, each byte once
  uint64_t bytes_out;
  net::SeqAdjust adjust;
  FlowEnd end;
  FlowState state;  // before the end
  PortReuse reuse;
  bool rewritten;  // timestamps on the balancer's clock
  uint8_t heals;
  uint8_t syns;  // up to 3
  bool is_refusal = false;
  net::DropReason refusal{};  // why
};

}  // namespace sluice
