// SPDX-License-Identifier: BSD-3-Clause
// Asks for what is remembered, and prints it as a trace would have.
#include "control/cli/why_command.h"

#include <fmt/format.h>

#include <charconv>

#include "control/cli/packet_text.h"
#include "control/common/api_answer.h"
#include "control/common/human.h"
#include "control/common/ranges.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// "seq 4252691414, sent twice, 1m00s before"
std::string syn_line(const json& row) {
  if (field(row, "syn_seq").is_null()) {
    const bool known = !field(row, "age_ms").is_null();
    return known ? human_ms(number_field(row, "age_ms")) + " before" : "";
  }
  const double syns = number_field(row, "syns");
  return fmt::format("seq {}, {}, {} before", digits_field(row, "syn_seq"),
                     syns < 2    ? "sent once"
                     : syns == 2 ? "sent twice"
                                 : "sent three times or more",
                     human_ms(number_field(row, "age_ms")));
}

std::string render_row(const json& row, size_t number) {
  std::string out = fmt::format(
      "#{}  {}  {} {} to {}, worker {}: {}\n", number, clock_time(number_field(row, "time_ms", -1)),
      text_field(row, "protocol"), text_field(row, "client"), text_field(row, "vip"),
      digits_field(row, "worker"), text_field(row, "outcome"));
  const bool udp = text_field(row, "protocol") == "udp";
  out += stage_line(udp ? "begun" : "SYN", syn_line(row));
  const json& packet = field(row, "in");
  if (!packet.is_null()) out += stage_line("parsed", segment_line(packet));
  const json& flow = field(row, "before");
  if (!flow.is_null()) {
    out += stage_line("state", state_of(flow)) + stage_line("port", port_line(flow)) +
           stage_line("fix", fix_line(flow));
  }
  return out + stage_line("verdict", verdict_line(row));
}

struct WhyOptions {
  std::string client, service, since = "10m";
  size_t limit = kWhyRowsDefault;
};

std::string not_seconds(const std::string& text) {
  return parse_seconds(text) ? "" : "expected for example 90s, 10m or 2h, a week at most";
}

void declare_why(CLI::App& app, WhyOptions& options) {
  app.add_option("--client", options.client, "address, address:port or network")->required();
  app.add_option("--service", options.service, "only to this one");
  app.add_option("--since", options.since, "how far back: 90s, 10m, 2h")
      ->check(not_seconds)
      ->capture_default_str();
  app.add_option("--limit", options.limit, "the newest so many")
      ->check(CLI::Range(kWhyRowsRange.min, kWhyRowsRange.max))
      ->capture_default_str();
}

int run_why(const Session& session, const WhyOptions& options) {
  json request = {{"command", "why"},
                  {"client", options.client},
                  {"since_s", parse_seconds(options.since).value()},
                  {"limit", options.limit}};
  if (!options.service.empty()) request["service"] = options.service;
  const json answer = session.ask(request);
  session.print(answer, render_why(answer, options.client, options.since));
  return kAnswered;
}

}  // namespace

std::optional<uint32_t> parse_seconds(const std::string& text) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number == 0) return std::nullopt;
  const std::string unit(rest, end);
  const uint64_t scale = unit.empty() || unit == "s" ? 1
                         : unit == "m"               ? 60
                         : unit == "h"               ? 3600
                         : unit == "d"               ? 86400
                                                     : 0;
  const uint64_t seconds = number * scale;
  if (!kWhySecondsRange.contains(static_cast<int64_t>(seconds))) return std::nullopt;
  return static_cast<uint32_t>(seconds);
}

std::string render_why(const json& answer, const std::string& client, const std::string& since) {
  std::string out;
  size_t number = 0;
  for (const json& row : list_field(answer, "why")) out += render_row(row, ++number);
  if (number == 0) {
    out = fmt::format(
        "no handshake of {} was refused, failed, was reset or had to be healed in the last {}\n",
        client, since);
  }
  if (flag_field(answer, "more")) out += "... and older ones: --limit\n";
  const double oldest = number_field(answer, "oldest_ms", -1);
  if (oldest >= 0) out += fmt::format("what is remembered begins at {}\n", clock_time(oldest));
  return out;
}

Command why_command() {
  return command("why", "what has become of a client's handshakes: refused, failed, reset, healed",
                 declare_why, run_why);
}

}  // namespace sluice::control
