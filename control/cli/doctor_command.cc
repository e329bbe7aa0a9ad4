// SPDX-License-Identifier: BSD-3-Clause
// Collects the findings and prints them.
#include "control/cli/doctor_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/cli/api_client.h"
#include "control/common/api_answer.h"
#include "control/config/config_load.h"
#include "control/host/doctor_host.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr const char* kDefaultConfig = "/etc/sluice/sluice.toml";

void append(json& rows, const std::vector<Diagnosis>& found) {
  for (const Diagnosis& item : found) rows.push_back(to_json_row(item));
}

// Rows of the running sluice; says which file it runs on, and whether it has looked at the links
// itself, from inside its network namespace.
json ask_running(const std::string& socket_path, std::string& config_file, bool& links_examined) {
  try {
    const json answer = ask(socket_path, {{"command", "doctor"}});
    if (config_file.empty()) config_file = text_field(answer, "config_file", "");
    links_examined = flag_field(answer, "links_examined");
    return list_field(answer, "findings");
  } catch (const ApiError& error) {
    const Diagnosis down = {
        "sluice", Severity::kWarning,
        fmt::format("no word from it, so only the host was examined: {}", error.what()),
        "systemctl start sluice, or: sluice --config FILE"};
    return json::array({to_json_row(down)});
  }
}

struct DoctorOptions {
  std::string config;
};

void declare_doctor(CLI::App& app, DoctorOptions& options) {
  app.add_option("--config", options.config, "the configuration; else the running sluice's");
}

int run_doctor_command(const Session& session, const DoctorOptions& options) {
  const json result = run_doctor(session.socket, options.config);
  session.print(result, render_doctor(result));
  return is_ill(result) ? kFailed : kAnswered;
}

}  // namespace

json run_doctor(const std::string& socket_path, std::string config_file) {
  bool links_examined = false;
  json rows = ask_running(socket_path, config_file, links_examined);
  if (config_file.empty()) config_file = kDefaultConfig;
  const LoadedConfig loaded = load_config(config_file);
  if (loaded.ok()) {
    append(rows, examine_memory(loaded.config, "/sys"));
    append(rows, examine_cpus(loaded.config, "/sys"));
    append(rows, examine_pci_devices(loaded.config, "/sys"));
    if (!links_examined) {
      append(rows, examine_kernel_interfaces(loaded.config));
      append(rows, examine_mtus(loaded.config, ask_mtus(loaded.config)));
      append(rows, examine_forwarding(loaded.config, std::nullopt));
    }
  } else {
    append(rows, {{"config", Severity::kCritical, describe({loaded.problems.front()}, config_file),
                   fmt::format("sluice --check --config {}", config_file)}});
    std::string& what = rows.back()["what"].get_ref<std::string&>();
    while (what.ends_with('\n')) what.pop_back();
  }
  std::vector<json> sorted = rows;
  std::ranges::stable_sort(sorted, std::ranges::greater{}, severity_field);
  return {{"config_file", config_file}, {"findings", sorted}};
}

std::string render_doctor(const json& result) {
  std::string out;
  size_t wrong = 0;
  for (const json& row : list_field(result, "findings")) {
    wrong += severity_field(row) == Severity::kOk ? 0 : 1;
    out += fmt::format("{:<8} {:<11} {}\n", severity_text(row), text_field(row, "area"),
                       text_field(row, "what"));
    const std::string remedy = remedy_text(row);
    if (!remedy.empty()) out += fmt::format("{:<20} remedy: {}\n", "", remedy);
  }
  return out + (wrong == 0 ? "nothing is wrong\n" : fmt::format("findings to mend: {}\n", wrong));
}

bool is_ill(const json& result) {
  return std::ranges::any_of(list_field(result, "findings"), [](const json& row) {
    return severity_field(row) == Severity::kCritical;
  });
}

Command doctor_command() {
  return command("doctor", "examines host, devices, backends and ports; says what to mend",
                 declare_doctor, run_doctor_command);
}

}  // namespace sluice::control
