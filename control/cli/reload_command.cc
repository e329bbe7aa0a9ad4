// SPDX-License-Identifier: BSD-3-Clause
// Says what becomes of overrides, and waits for what comes of the file.
#include "control/cli/reload_command.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct ReloadOptions {
  bool keep = false, drop = false;
};

void declare_reload(CLI::App& app, ReloadOptions& options) {
  auto* keep = app.add_flag("--keep-overrides", options.keep, "backend set goes on to count");
  app.add_flag("--drop-overrides", options.drop, "the file alone counts")->excludes(keep);
}

int run_reload(const Session& session, const ReloadOptions& options) {
  json request = {{"command", "reload"}};
  if (options.keep) request["overrides"] = "keep";
  if (options.drop) request["overrides"] = "drop";
  session.print_message(session.ask_patiently(request));
  return kAnswered;
}

}  // namespace

Command reload_command() {
  return command("reload", "read the configuration file again", declare_reload, run_reload);
}

}  // namespace sluice::control
