// SPDX-License-Identifier: BSD-3-Clause
// One function for each subcommand: its options, and the request that they make.
#include "control/cli/operate_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "control/cli/api_client.h"
#include "control/cli/save_command.h"
#include "control/cli/table.h"
#include "control/common/api_answer.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{60};  // resets of millions of flows, tables of thousands
constexpr std::chrono::seconds kPeriod{1};

struct Context {
  const std::string& socket;
  const bool& as_json;

  json ask_for(const json& request) const { return ask(socket, request, kPatience); }
  void print_message(const json& result) const {
    fmt::print("{}\n", as_json ? dumped(result) : text_field(result, "message", "done"));
  }
};

struct BackendOptions {
  std::string service, backend;
  std::optional<uint32_t> weight;
  bool drain = false, up = false, down = false;
  bool keep_flows = false, reset_flows = false;
  bool clear = false, all = false;
};

void set_backend(const Context& context, const BackendOptions& options) {
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
  context.print_message(context.ask_for(request));
}

void clear_backend(const Context& context, const BackendOptions& options) {
  json request = {{"command", "backend_clear"}};
  if (options.all) {
    request["all"] = true;
  } else if (options.backend.empty()) {
    throw CLI::ValidationError("backend clear", "say which: SERVICE BACKEND, or --all");
  } else {
    request["service"] = options.service;
    request["backend"] = options.backend;
  }
  context.print_message(context.ask_for(request));
}

void add_backend(CLI::App& app, const Context& context) {
  auto options = std::make_shared<BackendOptions>();
  CLI::App* backend =
      app.add_subcommand("backend", "weights and states of backends, over the file");
  backend->require_subcommand(1);

  CLI::App* set = backend->add_subcommand("set", "override a backend, until cleared or saved");
  set->add_option("service", options->service, "the service's name")->required();
  set->add_option("backend", options->backend, "address:port")->required();
  auto* weight = set->add_option("--weight", options->weight, "share of new flows, 0 for none");
  weight->check(CLI::Range(0, 1000));
  auto* drain = set->add_flag("--drain", options->drain, "no new flow, those it has go on");
  auto* up = set->add_flag("--up", options->up,
                           "ends --drain and --down; else: up whatever its health check says");
  auto* down = set->add_flag("--down", options->down, "out of order: no new flow");
  up->excludes(drain)->excludes(down);
  drain->excludes(down);
  auto* keep = set->add_flag("--keep-flows", options->keep_flows,
                             "with --down: its flows go on (the default)");
  auto* reset = set->add_flag("--reset-flows", options->reset_flows,
                              "with --down: its flows are reset at both ends");
  keep->needs(down)->excludes(reset);
  reset->needs(down);
  auto* clear = set->add_flag("--clear", options->clear, "the file alone counts again");
  clear->excludes(weight)->excludes(drain)->excludes(up)->excludes(down);
  set->callback([=] { set_backend(context, *options); });

  CLI::App* cleared = backend->add_subcommand("clear", "the file alone counts again");
  cleared->add_option("service", options->service, "the service's name");
  auto* which = cleared->add_option("backend", options->backend, "address:port");
  cleared->add_flag("--all", options->all, "every override of every service")->excludes(which);
  cleared->callback([=] { clear_backend(context, *options); });
}

void add_file(CLI::App& app, const Context& context) {
  auto choice = std::make_shared<std::pair<bool, bool>>();
  CLI::App* reload = app.add_subcommand("reload", "read the configuration file again");
  auto* keep = reload->add_flag("--keep-overrides", choice->first, "backend set goes on to count");
  reload->add_flag("--drop-overrides", choice->second, "the file alone counts")->excludes(keep);
  reload->callback([=] {
    json request = {{"command", "reload"}};
    if (choice->first) request["overrides"] = "keep";
    if (choice->second) request["overrides"] = "drop";
    context.print_message(context.ask_for(request));
  });
  app.add_subcommand("save", "write the overrides into the configuration file")->callback([=] {
    context.print_message(
        save_overrides([&context](const json& request) { return context.ask_for(request); }));
  });
}

struct DrainOptions {
  bool drop_syns = false, reset_syns = false, wait = false, reset = false, exit = false;
  std::optional<uint32_t> timeout_s;
};

json drain_row(const json& status) {
  const json& rows = list_field(status, "drain");
  return rows.empty() ? json() : rows.front();
}

// Says how many flows are left whenever that changes, until none is or time is up. Where sluice
// itself does something at that time, it is given a few seconds more for it.
void wait_for_drain(const Context& context, const DrainOptions& options, json status) {
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
    if (remaining != said && !context.as_json) fmt::print("flows left: {}\n", remaining);
    std::fflush(stdout);
    said = remaining;
    if (text_field(row, "state") == "off") throw ApiError("the drain was ended by undrain");
    if (flag_field(row, "ended", remaining == "0") && !exits) break;
    const auto left = until - Clock::now();
    if (options.timeout_s && left <= left.zero()) break;
    std::this_thread::sleep_for(options.timeout_s ? std::min<Clock::duration>(kPeriod, left)
                                                  : kPeriod);
    try {
      status = context.ask_for({{"command", "show"}, {"what", "drain"}});
    } catch (const ApiError&) {
      if (!exits) throw;
      if (!context.as_json) fmt::print("sluice has stopped\n");
      return;
    }
  }
  if (context.as_json) fmt::print("{}\n", dumped(status));
  if (said != "0") throw ApiError(fmt::format("time is up, flows left: {}", said));
}

void drain(const Context& context, const DrainOptions& options) {
  json request = {{"command", "drain"}};
  if (options.drop_syns) request["drop_syns"] = true;
  if (options.reset_syns) request["drop_syns"] = false;
  if (options.reset) request["reset"] = true;
  if (options.exit) request["exit"] = true;
  // To wait is this program's affair alone.
  if (options.timeout_s && (options.reset || options.exit)) {
    request["timeout_s"] = *options.timeout_s;
  }
  const json status = context.ask_for(request);
  if (options.wait) return wait_for_drain(context, options, status);
  fmt::print("{}", context.as_json ? dumped(status) + "\n" : render_table("drain", status));
}

void add_drain(CLI::App& app, const Context& context) {
  auto options = std::make_shared<DrainOptions>();
  CLI::App* command = app.add_subcommand("drain", "no new flows, for the whole balancer");
  auto* drop = command->add_flag("--drop-syns", options->drop_syns, "clients' SYNs are dropped");
  command
      ->add_flag("--reset-syns", options->reset_syns,
                 "clients' SYNs are answered with RST (the default, unless it drains already)")
      ->excludes(drop);
  command->add_flag("--wait", options->wait,
                    "return when no flow is left (status 0), or after --timeout (status 1)");
  auto* timeout = command->add_option("--timeout", options->timeout_s, "seconds to wait at most");
  timeout->check(CLI::Range(0, 604800));
  command->add_flag("--reset", options->reset, "after --timeout: reset what is left, at both ends")
      ->needs(timeout);
  command->add_flag("--exit", options->exit,
                    "sluice stops when no flow is left, or after --timeout");
  command->callback([=] {
    if (options->timeout_s && !options->wait && !options->reset && !options->exit) {
      throw CLI::ValidationError("--timeout", "needs --wait, --reset or --exit");
    }
    drain(context, *options);
  });
  app.add_subcommand("undrain", "new flows again")->callback([=] {
    const json status = context.ask_for({{"command", "undrain"}});
    fmt::print("{}", context.as_json ? dumped(status) + "\n" : render_table("drain", status));
  });
}

}  // namespace

void add_operate_commands(CLI::App& app, const std::string& socket, const bool& as_json) {
  const Context context{socket, as_json};
  add_backend(app, context);
  add_file(app, context);
  add_drain(app, context);
}

}  // namespace sluice::control
