// SPDX-License-Identifier: BSD-3-Clause
// What the port pool knows of a tuple, and what would become of a SYN, a line each.
#include "control/cli/explain_command.h"

#include <fmt/format.h>

#include <optional>

#include "control/common/api_answer.h"
#include "control/common/human.h"
#include "control/config/config_enums.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// What the tuple's last connection left, in either version's word.
std::string prior_of(const json& answer) {
  const std::string prior = text_field(answer, "prior", text_field(answer, "tuple"));
  return prior == "clean" ? "available" : prior == "held" ? "time_wait" : prior;
}

std::string prior_line(const json& answer) {
  const std::string prior = prior_of(answer);
  if (prior == "fresh") return "never used since Sluice started";
  const std::string ago = human_ms(number_field(answer, "age_ms"));
  if (text_field(answer, "protocol") == "udp")
    return fmt::format("its last flow ended {} ago", ago);
  if (prior == "available") return fmt::format("ended {} ago; the backend has forgotten it", ago);
  if (prior != "time_wait") return prior;
  return fmt::format("ended {} ago; the backend was left in TIME_WAIT{}", ago,
                     flag_field(answer, "in_time_wait") ? "" : ", which is over by now");
}

std::string numbers_line(const json& answer) {
  const std::string line = "last sequence " + digits_field(answer, "last_sequence");
  if (!flag_field(answer, "timestamps")) return line + ", no timestamps";
  return line + ", last TSval " + digits_field(answer, "last_tsval");
}

// What the rules in force make of the SYN once this port is the one to use.
std::string syn_line(const json& answer) {
  if (flag_field(answer, "taken_as_it_is") || !flag_field(answer, "in_time_wait")) {
    return "the backend takes it as it is";
  }
  const std::string reuse = text_field(answer, "reuse");
  if (reuse != "rebase") {
    return fmt::format("the backend would answer with a stale ACK; reuse = \"{}\" waits", reuse);
  }
  return fmt::format(
      "the backend would answer with a stale ACK; rebased by TSval {:+.0f} and sequence {:+.0f} it "
      "is taken",
      number_field(answer, "ts_offset"), number_field(answer, "seq_offset"));
}

struct ExplainOptions {
  std::string local, backend;
  std::string protocol = "tcp";
  std::optional<uint32_t> seq, tsval;
};

void declare_explain(CLI::App& app, ExplainOptions& options) {
  app.add_option("--local", options.local, "address:port")->required();
  app.add_option("--backend", options.backend, "address:port")->required();
  app.add_option("--protocol", options.protocol, "tcp or udp")
      ->capture_default_str()
      ->check(CLI::IsMember(words_of<net::Protocol>()));
  app.add_option("--seq", options.seq, "the SYN's sequence number");
  app.add_option("--tsval", options.tsval, "its TSval; none: without timestamps");
}

int run_explain(const Session& session, const ExplainOptions& options) {
  json request = {{"command", "explain"}, {"local", options.local}, {"backend", options.backend}};
  if (options.protocol != "tcp") request["protocol"] = options.protocol;
  if (options.seq) request["seq"] = *options.seq;
  if (options.tsval) request["tsval"] = *options.tsval;
  const json result = session.ask(request);
  session.print(result, render_explanation(result));
  return kAnswered;
}

}  // namespace

std::string render_explanation(const json& answer) {
  std::string out;
  const auto add = [&out](const char* title, const std::string& text) {
    out += fmt::format("{:<9} {}\n", title, text);
  };
  add("now", flag_field(answer, "in_use") ? "in use by a flow" : "available");
  add("history", prior_line(answer));
  if (prior_of(answer) == "time_wait") add("numbers", numbers_line(answer));
  if (!field(answer, "taken_as_it_is").is_null()) add("this SYN", syn_line(answer));
  return out;
}

Command explain_command() {
  return command("explain", "what is known of a tuple, and what a SYN on it would meet",
                 declare_explain, run_explain);
}

}  // namespace sluice::control
