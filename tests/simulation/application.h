// SPDX-License-Identifier: BSD-3-Clause
// What the programs at both ends do: one request, one response, and a way to close, by the plan.
#pragma once

#include "tests/simulation/connection.h"
#include "tests/simulation/tcp.h"

namespace sluice::sim {

// A client's program, run whenever its TCP has heard something or its hour has come.
void run_client(Connection& connection, TimeUs now, Outbox& out);

struct ServerState {
  bool responded = false;
  TimeUs opened_at = 0;
  TimeUs app_at = kNever;
};

void run_server(const Plan& plan, TimeUs close_at, ServerState& state, Tcp& tcp, TimeUs now,
                Outbox& out);

}  // namespace sluice::sim
