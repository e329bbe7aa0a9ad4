// SPDX-License-Identifier: BSD-3-Clause
// A command of sluicectl as data: one entry with its name, its options and what runs it. Help,
// dispatch and completion are all made from the entries (commands.cc has the list).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sluice::control {

// Exit statuses of a command that has come to its end.
inline constexpr int kAnswered = 0;
inline constexpr int kFailed = 1;  // no answer, or what it says is red

// What was said before any command: whom to ask, and in which form to print.
struct Session {
  std::string socket;
  bool as_json = false;

  nlohmann::json ask(const nlohmann::json& request) const;
  // For what may take sluice a while: resets of millions of flows, tables of thousands.
  nlohmann::json ask_patiently(const nlohmann::json& request) const;
  // The one or the other.
  void print(const nlohmann::json& result, const std::string& text) const;
  // An answer that is a message.
  void print_message(const nlohmann::json& result) const;
};

// Gives the exit status. Throws ApiError, or CLI::ValidationError for options that do not go
// together.
using RunCommand = std::function<int(const Session&)>;

struct Command {
  const char* name;
  const char* help;
  // Declares the options; what it gives runs the command with the values that they get.
  std::function<RunCommand(CLI::App&)> declare;
  std::vector<Command> subcommands = {};  // one has to follow; then there is nothing to declare
};

template <class Options>
Command command(const char* name, const char* help, void (*declare)(CLI::App&, Options&),
                int (*run)(const Session&, const Options&)) {
  return {name, help, [=](CLI::App& app) -> RunCommand {
            const auto options = std::make_shared<Options>();
            declare(app, *options);
            return [=](const Session& session) { return run(session, *options); };
          }};
}

// Without options.
inline Command command(const char* name, const char* help, int (*run)(const Session&)) {
  return {name, help, [=](CLI::App&) -> RunCommand { return run; }};
}

// Adds the commands to `app`; the one that is parsed is put into `chosen`, which outlives `app`.
void add_commands(CLI::App& app, const std::vector<Command>& commands, RunCommand& chosen);

}  // namespace sluice::control
