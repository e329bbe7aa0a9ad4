// SPDX-License-Identifier: BSD-3-Clause
// The drain of the whole balancer: asks for it and, where that is wanted, waits until it is over.
#include "control/cli/drain_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "control/cli/table.h"
#include "control/common/api_answer.h"
#include "control/common/errors.h"
#include "control/common/ranges.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPeriod{1};

struct DrainOptions {
  bool drop_syns = false, reset_syns = false, wait = false, reset = false, exit = false;
  std::optional<uint32_t> timeout_s;
};

void declare_drain(CLI::App& app, DrainOptions& options) {
  auto* drop = app.add_flag("--drop-syns", options.drop_syns, "clients' SYNs are dropped");
  app.add_flag("--reset-syns", options.reset_syns,
               "clients' SYNs are answered with RST (the default, unless it drains already)")
      ->excludes(drop);
  app.add_flag("--wait", options.wait,
               "return when no flow is left (status 0), or after --timeout (status 1)");
  auto* timeout = app.add_option("--timeout", options.timeout_s, "seconds to wait at most");
  timeout->check(CLI::Range(kDrainSecondsRange.min, kDrainSecondsRange.max));
  app.add_flag("--reset", options.reset, "after --timeout: reset what is left, at both ends")
      ->needs(timeout);
  app.add_flag("--exit", options.exit, "sluice stops when no flow is left, or after --timeout");
}

json drain_row(const json& status) {
  const json& rows = list_field(status, "drain");
  return rows.empty() ? json() : rows.front();
}

// Says how many flows are left whenever that changes, until none is or time is up. Where sluice
// itself does something at that time, it is given a few seconds more for it.
void wait_for_drain(const Session& session, const DrainOptions& options, json status) {
  const auto until = Clock::now() + std::chrono::seconds(options.timeout_s.value_or(0)) +
                     (options.reset || options.exit ? 5 * kPeriod : 0 * kPeriod);
  const bool exits = flag_field(drain_row(status), "exit");  // by whoever's wish
  std::string said;
  while (true) {
    const json row = drain_row(status);
    if (!field(row, "remaining").is_number()) {
      throw ApiError("sluice does not say how many flows are left: use its own sluicectl");
    }
    const std::string remaining = digits_field(row, "remaining");
    if (remaining != said && !session.as_json) fmt::print("flows left: {}\n", remaining);
    std::fflush(stdout);
    said = remaining;
    if (text_field(row, "state") == "off") throw ApiError("the drain was ended by undrain");
    if (flag_field(row, "ended", remaining == "0") && !exits) break;
    const auto left = until - Clock::now();
    if (options.timeout_s && left <= left.zero()) break;
    std::this_thread::sleep_for(options.timeout_s ? std::min<Clock::duration>(kPeriod, left)
                                                  : kPeriod);
    try {
      status = session.ask_patiently({{"command", "show"}, {"what", "drain"}});
    } catch (const ApiError&) {
      if (!exits) throw;
      if (!session.as_json) fmt::print("sluice has stopped\n");
      return;
    }
  }
  if (session.as_json) fmt::print("{}\n", dumped(status));
  if (said != "0") throw ApiError(fmt::format("time is up, flows left: {}", said));
}

int run_drain(const Session& session, const DrainOptions& options) {
  if (options.timeout_s && !options.wait && !options.reset && !options.exit) {
    throw CLI::ValidationError("--timeout", "needs --wait, --reset or --exit");
  }
  json request = {{"command", "drain"}};
  if (options.drop_syns) request["drop_syns"] = true;
  if (options.reset_syns) request["drop_syns"] = false;
  if (options.reset) request["reset"] = true;
  if (options.exit) request["exit"] = true;
  // To wait is this program's affair alone.
  if (options.timeout_s && (options.reset || options.exit)) {
    request["timeout_s"] = *options.timeout_s;
  }
  const json status = session.ask_patiently(request);
  if (options.wait) {
    wait_for_drain(session, options, status);
  } else {
    session.print(status, render_table("drain", status));
  }
  return kAnswered;
}

int run_undrain(const Session& session) {
  const json status = session.ask_patiently({{"command", "undrain"}});
  session.print(status, render_table("drain", status));
  return kAnswered;
}

}  // namespace

Command drain_command() {
  return command("drain", "no new flows, for the whole balancer", declare_drain, run_drain);
}

Command undrain_command() {
  return command("undrain", "new flows again", run_undrain);
}

}  // namespace sluice::control
