// SPDX-License-Identifier: BSD-3-Clause
// From entries to what CLI11 parses; asking and printing for all of them.
#include "control/cli/command.h"

#include <fmt/format.h>

#include "control/cli/api_client.h"
#include "control/common/api_answer.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kPatience{60};

}  // namespace

json Session::ask(const json& request) const {
  return control::ask(socket, request);
}

json Session::ask_patiently(const json& request) const {
  return control::ask(socket, request, kPatience);
}

void Session::print(const json& result, const std::string& text) const {
  fmt::print("{}", as_json ? dumped(result) + "\n" : text);
}

void Session::print_message(const json& result) const {
  print(result, text_field(result, "message", "done") + "\n");
}

void add_commands(CLI::App& app, const std::vector<Command>& commands, RunCommand& chosen) {
  for (const Command& each : commands) {
    CLI::App* added = app.add_subcommand(each.name, each.help);
    if (!each.subcommands.empty()) {
      added->require_subcommand(1);
      add_commands(*added, each.subcommands, chosen);
      continue;
    }
    added->callback([run = each.declare(*added), &chosen] { chosen = run; });
  }
}

}  // namespace sluice::control
