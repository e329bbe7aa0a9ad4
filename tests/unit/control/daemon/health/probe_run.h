// SPDX-License-Identifier: BSD-3-Clause
// A probe on the loopback, run to its result.
#pragma once

#include <chrono>
#include <optional>

#include "control/config/address_text.h"
#include "control/daemon/health/probe.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

inline constexpr const char* kLoopbacks[] = {"127.0.0.1", "::1"};

inline ProbeTarget target(uint16_t port, CheckType type = CheckType::kTcp,
                          const char* at = "127.0.0.1") {
  ProbeTarget to{"web", {*parse_ip(at), net::be16::from_host(port)}, *parse_ip(at), "lo", {}};
  to.check.type = type;
  return to;
}

// The result, or what it says when it is given up after `wait`.
inline ProbeResult result_of(EventLoop& loop, Probe& probe,
                             std::chrono::milliseconds wait = std::chrono::seconds(5)) {
  std::optional<ProbeResult> result;
  probe.start([&](const ProbeResult& said) { result = said; });
  const auto end = EventLoop::Clock::now() + wait;
  while (!result && EventLoop::Clock::now() < end) loop.run_once(std::chrono::milliseconds(10));
  return result.value_or(ProbeResult::bad("given up: " + (result ? "" : probe.give_up())));
}

}  // namespace sluice::control
