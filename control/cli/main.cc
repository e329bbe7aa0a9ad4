// SPDX-License-Identifier: BSD-3-Clause
// sluicectl: asks a running sluice and shows its answer. Exit status 0: answered; 1: not, or what
// it answers is red; 2: usage.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "control/cli/api_client.h"
#include "control/cli/commands.h"
#include "control/cli/complete.h"
#include "control/cli/doctor_command.h"
#include "control/cli/explain_command.h"
#include "control/cli/show_command.h"
#include "control/cli/status_command.h"
#include "control/cli/top/top.h"
#include "control/cli/trace_command.h"
#include "control/common/api_answer.h"
#include "control/common/command_line.h"
#include "control/config/config.h"

namespace {

using nlohmann::json;
using sluice::control::ask;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// Where the package has control.read_socket, for who may not ask at the other.
constexpr const char* kReadSocket = "/run/sluice/read.sock";

std::string socket_to_ask() {
  const std::string all = sluice::control::ControlConfig{}.socket;
  const bool denied = access(all.c_str(), W_OK) != 0 && errno == EACCES;
  return denied && access(kReadSocket, W_OK) == 0 ? kReadSocket : all;
}

struct Options : sluice::control::Session {
  Options() { socket = socket_to_ask(); }

  std::string config;
  int exit_status = 0;
  std::string local;
  std::string backend;
  std::optional<uint32_t> seq;
  std::optional<uint32_t> tsval;
};

void print(const Options& options, const json& result, const std::string& text) {
  fmt::print("{}", options.as_json ? sluice::control::dumped(result) + "\n" : text);
}

void status(Options& options) {
  const json result = ask(options.socket, {{"command", "status"}});
  print(options, result, sluice::control::render_status(result));
  if (sluice::control::is_red(result)) options.exit_status = kExitFailed;
}

void doctor(Options& options) {
  const json result = sluice::control::run_doctor(options.socket, options.config);
  print(options, result, sluice::control::render_doctor(result));
  if (sluice::control::is_ill(result)) options.exit_status = kExitFailed;
}

void explain(const Options& options) {
  json request = {{"command", "explain"}, {"local", options.local}, {"backend", options.backend}};
  if (options.seq) request["seq"] = *options.seq;
  if (options.tsval) request["tsval"] = *options.tsval;
  const json result = ask(options.socket, request);
  print(options, result, sluice::control::render_explanation(result));
}

// Names for the shell to offer; none where nobody answers.
std::vector<std::string> names_of(const std::string& socket, const std::string& kind) {
  const bool service = kind == "service";
  if (!service && kind != "backend") return {};
  const std::string what = service ? "services" : "backends";
  std::vector<std::string> names;
  try {
    const json answer = ask(socket, {{"command", "show"}, {"what", what}});
    for (const json& row : sluice::control::list_field(answer, what.c_str())) {
      names.push_back(sluice::control::text_field(row, service ? "name" : "address"));
    }
  } catch (const std::exception&) {
  }
  return names;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  sluice::control::RunCommand chosen;
  CLI::App app{"Asks a running sluice.", "sluicectl"};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--socket", options.socket, "the API socket (control.socket)")
      ->capture_default_str();
  app.add_flag("--json", options.as_json, "JSON in place of a table");

  sluice::control::add_show_command(app, options.socket, options.as_json);
  app.add_subcommand("status", "is all well, and if not, where not")->callback([&] {
    status(options);
  });
  CLI::App* doctor_command =
      app.add_subcommand("doctor", "examines host, devices, backends and ports; says what to mend");
  doctor_command->add_option("--config", options.config,
                             "the configuration; else the running sluice's");
  doctor_command->callback([&] { doctor(options); });
  app.add_subcommand("top", "rates, load and trouble on the terminal, once a second")
      ->callback([&] { sluice::control::run_top(options.socket); });
  sluice::control::add_commands(app, sluice::control::commands(), chosen);
  sluice::control::add_trace_command(app, options.socket, options.as_json);

  CLI::App* explain_command =
      app.add_subcommand("explain", "what is known of a tuple, and what a SYN on it would meet");
  explain_command->add_option("--local", options.local, "address:port")->required();
  explain_command->add_option("--backend", options.backend, "address:port")->required();
  explain_command->add_option("--seq", options.seq, "the SYN's sequence number");
  explain_command->add_option("--tsval", options.tsval, "its TSval; none: without timestamps");
  explain_command->callback([&] { explain(options); });

  if (argc > 1 && argv[1] == std::string("__complete")) {
    const auto values_of = [&](const std::string& kind) { return names_of(options.socket, kind); };
    for (const auto& word : sluice::control::complete(app, {argv + 2, argv + argc}, values_of)) {
      fmt::print("{}\n", word);
    }
    return 0;
  }
  try {
    app.parse(argc, argv);
    if (chosen) return chosen(options);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}", sluice::control::usage_error("sluicectl", app, error));
    return kExitUsage;
  } catch (const std::exception& error) {  // ApiError, or what an answer's form has led to
    fmt::print(stderr, "sluicectl: {}\n", error.what());
    return kExitFailed;
  }
  return options.exit_status;
}
