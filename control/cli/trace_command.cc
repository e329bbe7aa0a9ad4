// SPDX-License-Identifier: BSD-3-Clause
// Asks for a trace, prints what it catches, and ends it.
#include "control/cli/trace_command.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "control/cli/packet_text.h"
#include "control/common/api_answer.h"
#include "control/common/errors.h"
#include "control/common/ranges.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kReadPeriod{100};

volatile std::sig_atomic_t interrupted = 0;

std::string state_line(const json& row) {
  const std::string before = state_of(field(row, "before")), after = state_of(field(row, "after"));
  return before == after ? before : fmt::format("{} > {}", before, after);
}

std::string counted_line(const json& row) {
  std::vector<std::string> names;
  for (const json& name : list_field(row, "counted")) names.push_back(shown(name));
  return fmt::format("{}", fmt::join(names, ", "));
}

struct TraceOptions {
  std::string client, service;
  uint32_t count = kTraceCountDefault, seconds = kTraceSecondsDefault;
};

// Ends a trace however it is left.
class RunningTrace {
 public:
  RunningTrace(const Session& session, const TraceOptions& options) : session_(session) {
    json request = {{"command", "trace_start"},
                    {"client", options.client},
                    {"count", options.count},
                    {"seconds", options.seconds}};
    if (!options.service.empty()) request["service"] = options.service;
    const json answer = session_.ask(request);
    id_ = field(answer, "trace");
    if (!id_.is_number()) throw ApiError("sluice has started a trace without saying which");
  }
  ~RunningTrace() {
    if (over_) return;
    try {
      session_.ask({{"command", "trace_stop"}, {"trace", id_}});
    } catch (const ApiError&) {
      // Sluice has ended it.
    }
  }
  RunningTrace(const RunningTrace&) = delete;
  RunningTrace& operator=(const RunningTrace&) = delete;

  json read() {
    const json answer = session_.ask({{"command", "trace_read"}, {"trace", id_}});
    over_ = flag_field(answer, "over", true);  // one that nobody can end would go on for ever
    return list_field(answer, "packets");
  }
  bool is_closed() const { return over_; }

 private:
  const Session& session_;
  json id_;
  bool over_ = false;
};

void declare_trace(CLI::App& app, TraceOptions& options) {
  app.add_option("--client", options.client, "address, or address:port")->required();
  app.add_option("--service", options.service, "only to this one");
  app.add_option("--count", options.count, "packets at most")
      ->check(CLI::Range(kTraceCountRange.min, kTraceCountRange.max))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "how long at most")
      ->check(CLI::Range(kTraceSecondsRange.min, kTraceSecondsRange.max))
      ->capture_default_str();
}

int run_trace(const Session& session, const TraceOptions& options) {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });
  RunningTrace running(session, options);
  fmt::print(stderr, "tracing {}: {} packets or {} s; Ctrl-C ends it\n", options.client,
             options.count, options.seconds);
  for (bool last = false; !last; std::this_thread::sleep_for(kReadPeriod)) {
    last = interrupted;
    for (const json& row : running.read()) {
      const bool as_json = session.as_json;
      fmt::print("{}{}", as_json ? dumped(row, -1) : render_packet(row), as_json ? "\n" : "");
    }
    if (std::fflush(stdout) != 0 || running.is_closed()) break;
  }
  return kAnswered;
}

}  // namespace

std::string render_packet(const json& row) {
  const std::string protocol = text_field(row, "protocol", "");  // of an older sluice: none
  std::string out = fmt::format(
      "#{}  {}  {}from the {} on {}, worker {}{}\n", digits_field(row, "number"),
      clock_time(number_field(row, "time_ms", -1)), protocol.empty() ? "" : protocol + " ",
      text_field(row, "from"), text_field(row, "interface"), digits_field(row, "worker"),
      flag_field(row, "taken_over") ? " (received by another)" : "");
  const auto add = [&out](const char* stage, const std::string& text) {
    out += stage_line(stage, text);
  };
  const json& before = field(row, "before");
  const json& after = field(row, "after");
  const json& flow = after.is_null() ? before : after;
  add("parsed", segment_line(field(row, "in")));
  add("looked up", before.is_null() ? "no flow" : "its flow");
  add("state", state_line(row));
  if (!flow.is_null()) {
    add("port", port_line(flow));
    add("fix", fix_line(flow));
  }
  if (!field(row, "out").is_null()) add("rewritten", segment_line(field(row, "out")));
  add("verdict", verdict_line(row));
  add("counted", counted_line(row));
  return out;
}

Command trace_command() {
  return command("trace", "the next packets of a client, stage by stage, as they come",
                 declare_trace, run_trace);
}

}  // namespace sluice::control
