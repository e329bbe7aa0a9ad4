// SPDX-License-Identifier: BSD-3-Clause
// backend set and backend clear: their options, and the requests that they make.
#include "control/cli/backend_command.h"

#include <optional>

#include "control/common/ranges.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct SetOptions {
  std::string service, backend;
  std::optional<uint32_t> weight;
  bool drain = false, up = false, down = false;
  bool keep_flows = false, reset_flows = false;
  bool clear = false;
};

void declare_set(CLI::App& app, SetOptions& options) {
  app.add_option("service", options.service, "the service's name")->required();
  app.add_option("backend", options.backend, "address:port")->required();
  auto* weight = app.add_option("--weight", options.weight, "share of new flows, 0 for none");
  weight->check(CLI::Range(kWeightRange.min, kWeightRange.max));
  auto* drain = app.add_flag("--drain", options.drain, "no new flow, those it has go on");
  auto* up = app.add_flag("--up", options.up,
                          "ends --drain and --down; else: up whatever its health check says");
  auto* down = app.add_flag("--down", options.down, "out of order: no new flow");
  up->excludes(drain)->excludes(down);
  drain->excludes(down);
  auto* keep = app.add_flag("--keep-flows", options.keep_flows,
                            "with --down: its flows go on (the default)");
  auto* reset = app.add_flag("--reset-flows", options.reset_flows,
                             "with --down: its flows are reset at both ends");
  keep->needs(down)->excludes(reset);
  reset->needs(down);
  auto* clear = app.add_flag("--clear", options.clear, "the file alone counts again");
  clear->excludes(weight)->excludes(drain)->excludes(up)->excludes(down);
}

int run_set(const Session& session, const SetOptions& options) {
  json request = {{"service", options.service}, {"backend", options.backend}};
  request["command"] = options.clear ? "backend_clear" : "backend_set";
  if (options.weight) request["weight"] = *options.weight;
  if (options.drain) request["state"] = "drain";
  if (options.up) request["state"] = "up";
  if (options.down) request["state"] = "down";
  if (options.reset_flows) request["reset_flows"] = true;
  if (request.size() == 3 && !options.clear) {
    throw CLI::ValidationError("backend set", "say what: --weight, --drain, --up, --down, --clear");
  }
  session.print_message(session.ask_patiently(request));
  return kAnswered;
}

struct ClearOptions {
  std::string service, backend;
  bool all = false;
};

void declare_clear(CLI::App& app, ClearOptions& options) {
  app.add_option("service", options.service, "the service's name");
  auto* which = app.add_option("backend", options.backend, "address:port");
  app.add_flag("--all", options.all, "every override of every service")->excludes(which);
}

int run_clear(const Session& session, const ClearOptions& options) {
  json request = {{"command", "backend_clear"}};
  if (options.all) {
    request["all"] = true;
  } else if (options.backend.empty()) {
    throw CLI::ValidationError("backend clear", "say which: SERVICE BACKEND, or --all");
  } else {
    request["service"] = options.service;
    request["backend"] = options.backend;
  }
  session.print_message(session.ask_patiently(request));
  return kAnswered;
}

}  // namespace

Command backend_command() {
  return {"backend",
          "weights and states of backends, over the file",
          {},
          {command("set", "override a backend, until cleared or saved", declare_set, run_set),
           command("clear", "the file alone counts again", declare_clear, run_clear)}};
}

}  // namespace sluice::control
