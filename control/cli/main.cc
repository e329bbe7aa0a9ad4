// SPDX-License-Identifier: BSD-3-Clause
// sluicectl: asks a running sluice and shows its answer. Exit status 0: answered; 1: not, or what
// it answers is red; 2: usage.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "control/cli/api_client.h"
#include "control/cli/commands.h"
#include "control/cli/complete.h"
#include "control/common/api_answer.h"
#include "control/common/command_line.h"
#include "control/config/config.h"

namespace {

using nlohmann::json;
using sluice::control::ask;

constexpr int kExitUsage = 2;

// Where the package has control.read_socket, for who may not ask at the other.
constexpr const char* kReadSocket = "/run/sluice/read.sock";

std::string socket_to_ask() {
  const std::string all = sluice::control::ControlConfig{}.socket;
  const bool denied = access(all.c_str(), W_OK) != 0 && errno == EACCES;
  return denied && access(kReadSocket, W_OK) == 0 ? kReadSocket : all;
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
  sluice::control::Session session{.socket = socket_to_ask()};
  sluice::control::RunCommand chosen;
  CLI::App app{"Asks a running sluice.", "sluicectl"};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--socket", session.socket, "the API socket (control.socket)")
      ->capture_default_str();
  app.add_flag("--json", session.as_json, "JSON in place of a table");
  sluice::control::add_commands(app, sluice::control::commands(), chosen);

  if (argc > 1 && argv[1] == std::string("__complete")) {
    const auto values_of = [&](const std::string& kind) { return names_of(session.socket, kind); };
    for (const auto& word : sluice::control::complete(app, {argv + 2, argv + argc}, values_of)) {
      fmt::print("{}\n", word);
    }
    return 0;
  }
  try {
    app.parse(argc, argv);
    return chosen(session);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}", sluice::control::usage_error("sluicectl", app, error));
    return kExitUsage;
  } catch (const std::exception& error) {  // ApiError, or what an answer's form has led to
    fmt::print(stderr, "sluicectl: {}\n", error.what());
    return sluice::control::kFailed;
  }
}
