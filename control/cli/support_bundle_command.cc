// SPDX-License-Identifier: BSD-3-Clause
// Asks for everything, and packs it.
#include "control/cli/support_bundle_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <iterator>

#include "control/cli/archive.h"
#include "control/cli/doctor_command.h"
#include "control/cli/status_command.h"
#include "control/cli/table.h"
#include "control/common/api_answer.h"
#include "control/common/errors.h"
#include "control/config/config_load.h"
#include "control/config/config_secrets.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Ask = std::function<json(const json& request)>;

constexpr size_t kHostFileMax = 1 << 20;

std::string host_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kHostFileMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text.empty() ? path + " cannot be read\n" : text;
}

std::string versions_text(const json& program) {
  utsname kernel{};
  uname(&kernel);
  return fmt::format("sluicectl {}\nsluice {}\n{}\nkernel {} {} {}\n\n{}", SLUICE_VERSION,
                     text_field(program, "version"), text_field(program, "dpdk"), kernel.release,
                     kernel.version, kernel.machine, host_file("/etc/os-release"));
}

std::string log_text(const json& support) {
  std::string text;
  for (const json& line : list_field(support, "log")) text += shown(line) + "\n";
  return text;
}

// What stands in the place of an answer that was not given.
std::string no_answer(const std::string& why) {
  return fmt::format("not here: {}\n", why);
}

class Bundle {
 public:
  explicit Bundle(const Ask& ask) : ask_(ask) {}

  // An answer as JSON, and where `render` is given as text beside it.
  json add_answer(const std::string& name, const json& request,
                  const std::function<std::string(const json&)>& render = nullptr) {
    try {
      json answer = ask_(request);
      add(name + ".json", dumped(answer) + "\n");
      if (render) add(name + ".txt", render(answer));
      return answer;
    } catch (const ApiError& error) {
      add(name + ".txt", no_answer(error.what()));
      return {};
    }
  }
  void add(const std::string& name, const std::string& text) { files_.push_back({name, text}); }
  std::vector<BundleFile> take() { return std::move(files_); }

 private:
  const Ask& ask_;
  std::vector<BundleFile> files_;
};

json add_tables(Bundle& bundle) {
  json program;
  for (const std::string& what : table_names()) {
    if (what == "stages") continue;  // needs three seconds of sampling
    json request = {{"command", "show"}, {"what", what}};
    if (what == "flows") request["limit"] = 1000;
    const json answer = bundle.add_answer("show/" + what, request, [&](const json& rows) {
      return render_table(what, rows, Width::kWide);
    });
    const json& rows = list_field(answer, what.c_str());
    if (what == "program" && !rows.empty()) program = rows.front();
  }
  return program;
}

// What is in force, and what the file says now.
void add_configuration(Bundle& bundle, const Ask& ask, const std::string& file) {
  try {
    const json support = ask({{"command", "support"}});
    const json& text = field(support, "config");
    bundle.add("configuration-in-force.toml", text.is_string() ? text.get<std::string>() : "");
    bundle.add("log.txt", log_text(support));
  } catch (const ApiError& error) {
    bundle.add("configuration-in-force.txt", no_answer(error.what()));
    bundle.add("log.txt", no_answer(error.what()));
  }
  const LoadedConfig loaded = load_config(file);
  bundle.add("configuration-file.toml", without_secrets(loaded.text));
  // What is wrong may quote a secret: places alone.
  std::string problems;
  for (const Problem& problem : loaded.problems) {
    problems += fmt::format("{}:{}: {}\n", file, problem.line, problem.key);
  }
  bundle.add("configuration-mistakes.txt", problems.empty() ? "none\n" : problems);
}

struct BundleOptions {
  std::string output, config;
};

void declare_bundle(CLI::App& app, BundleOptions& options) {
  app.add_option("--output", options.output,
                 "the file to make; else sluice-support-TIME.tar.gz in this directory");
  app.add_option("--config", options.config, "the configuration; else the running sluice's");
}

int run_bundle(const Session& session, const BundleOptions& options) {
  const std::time_t now = std::time(nullptr);
  const std::string top = fmt::format("sluice-support-{:%Y%m%d-%H%M%S}", fmt::gmtime(now));
  const std::string output = options.output.empty() ? top + ".tar.gz" : options.output;
  TextArchive archive(output, now);  // before all else: who cannot write need not wait
  const auto files =
      make_bundle([&](const json& request) { return session.ask_patiently(request); },
                  session.socket, options.config);
  for (const BundleFile& file : files) archive.add(top + "/" + file.name, file.text);
  archive.finish();
  session.print_message({{"message", fmt::format("{}: files {}; look through it before you give "
                                                 "it away: it names addresses of clients",
                                                 output, files.size())}});
  return kAnswered;
}

}  // namespace

std::vector<BundleFile> make_bundle(const Ask& ask, const std::string& socket_path,
                                    const std::string& config_file) {
  Bundle bundle(ask);
  bundle.add_answer("status", {{"command", "status"}}, render_status);
  const json doctor = run_doctor(socket_path, config_file);
  bundle.add("doctor.json", dumped(doctor) + "\n");
  bundle.add("doctor.txt", render_doctor(doctor));
  add_configuration(bundle, ask, text_field(doctor, "config_file"));
  bundle.add("versions.txt", versions_text(add_tables(bundle)));
  for (const char* name : {"cmdline", "meminfo", "cpuinfo", "interrupts"}) {
    bundle.add(fmt::format("host/{}", name), host_file(fmt::format("/proc/{}", name)));
  }
  return bundle.take();
}

Command support_bundle_command() {
  return command("support-bundle", "all that somebody elsewhere needs to see, in one file",
                 declare_bundle, run_bundle);
}

}  // namespace sluice::control
