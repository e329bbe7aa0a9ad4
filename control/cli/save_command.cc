// SPDX-License-Identifier: BSD-3-Clause
// Asks, edits, replaces, and says that it is done.
#include "control/cli/save_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "control/common/api_answer.h"
#include "control/common/atomic_file.h"
#include "control/common/errors.h"
#include "control/common/ranges.h"
#include "control/config/config_edit.h"
#include "control/config/config_load.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// Sets one weight; what sluice names and the file does not have is left to edit_weights() to
// refuse. An older sluice names no protocol: its services are TCP's.
void set_weight(Config& config, const json& row) {
  const std::string vip = text_field(row, "vip"), address = text_field(row, "backend");
  const std::string protocol = text_field(row, "protocol", "tcp");
  for (ServiceConfig& service : config.services) {
    if (to_string(service.vip) != vip || to_string(service.protocol) != protocol) continue;
    for (BackendConfig& backend : service.backends) {
      if (to_string(backend.address) != address) continue;
      backend.weight = static_cast<uint32_t>(std::clamp(number_field(row, "weight"),
                                                        static_cast<double>(kWeightRange.min),
                                                        static_cast<double>(kWeightRange.max)));
    }
  }
}

std::string edited_text(const std::string& file, const json& plan) {
  const LoadedConfig now = load_config(file);
  const json& read = field(plan, "text");
  if (!now.ok() || !read.is_string() || now.text != read.get<std::string>()) {
    throw ApiError(fmt::format(
        "{} has changed since it was read: reload first (--keep-overrides), then save", file));
  }
  Config wanted = now.config;
  for (const json& row : list_field(plan, "weights")) set_weight(wanted, row);
  return edit_weights(now.text, wanted);
}

}  // namespace

json save_overrides(const std::function<json(const json& request)>& ask) {
  const json plan = ask({{"command", "save_begin"}});
  if (field(plan, "file").is_null()) return plan;  // nothing to save
  const std::string file = text_field(plan, "file");
  try {
    swap_file(file, edited_text(file, plan));
  } catch (const EditError& error) {
    throw ApiError(fmt::format("{}: {}", file, error.what()));
  } catch (const std::system_error& error) {
    throw ApiError(
        fmt::format("{}; save as somebody who may write there, for example root", error.what()));
  }
  return ask({{"command", "save_end"}});
}

Command save_command() {
  return command(
      "save", "write the overrides into the configuration file", [](const Session& session) {
        session.print_message(
            save_overrides([&](const json& request) { return session.ask_patiently(request); }));
        return kAnswered;
      });
}

}  // namespace sluice::control
