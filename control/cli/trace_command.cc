// SPDX-License-Identifier: BSD-3-Clause
// Asks for a trace, prints what it catches, and ends it.
#include "control/cli/trace_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "control/common/api_answer.h"
#include "control/common/errors.h"
#include "control/common/ranges.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kReadPeriod{100};

volatile std::sig_atomic_t interrupted = 0;

std::string segment_line(const json& segment) {
  if (field(segment, "flags").is_null()) {
    return fmt::format("{} > {}  UDP  {} bytes, ttl {}", text_field(segment, "source"),
                       text_field(segment, "destination"), digits_field(segment, "payload_bytes"),
                       digits_field(segment, "ttl"));
  }
  std::string line = fmt::format("{} > {}  {}  seq {} ack {}", text_field(segment, "source"),
                                 text_field(segment, "destination"), text_field(segment, "flags"),
                                 digits_field(segment, "seq"), digits_field(segment, "ack"));
  if (!field(segment, "tsval").is_null()) {
    line += fmt::format("  tsval {} tsecr {}", digits_field(segment, "tsval"),
                        digits_field(segment, "tsecr"));
  }
  return line + fmt::format("  {} bytes, window {}, ttl {}", digits_field(segment, "payload_bytes"),
                            digits_field(segment, "window"), digits_field(segment, "ttl"));
}

std::string state_of(const json& flow) {
  return flow.is_null() ? "none" : text_field(flow, "state");
}

std::string state_line(const json& row) {
  const std::string before = state_of(field(row, "before")), after = state_of(field(row, "after"));
  return before == after ? before : fmt::format("{} > {}", before, after);
}

// "fresh: never used since Sluice started"; a kind that this program does not know stands alone.
std::string port_and_why(const std::string& port) {
  static const std::map<std::string, const char*> kWhy = {
      {"fresh", "never used since Sluice started"},
      {"available", "the backend has forgotten its last connection"},
      {"rested", "TIME_WAIT of its last connection was over"},
      {"natural", "in TIME_WAIT, and the backend takes this SYN as it is"},
      {"rebased", "in TIME_WAIT, and the SYN was adjusted so that the backend takes it"}};
  const auto known = kWhy.find(port);
  return known == kWhy.end() ? port : fmt::format("{}: {}", port, known->second);
}

std::string fix_line(const json& flow) {
  const double tsval = number_field(flow, "ts_offset"), sequence = number_field(flow, "seq_offset");
  std::vector<std::string> parts;
  if (tsval != 0) parts.push_back(fmt::format("TSval {:+.0f}", tsval));
  if (sequence != 0) parts.push_back(fmt::format("sequence {:+.0f}", sequence));
  if (flag_field(flow, "rewritten")) parts.emplace_back("timestamps on Sluice's clock");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string verdict_line(const json& row) {
  const std::string verdict = text_field(row, "verdict");
  if (verdict == "consumed") return "was for Sluice itself";
  if (verdict == "waiting") return "waits for the next hop to answer ARP";
  if (verdict == "handed_off") return "handed to the worker that it belongs to";
  if (verdict == "to_kernel") return "handed to the host's kernel";
  if (verdict != "dropped") return verdict;
  return fmt::format("dropped, {}: {}", text_field(row, "reason"), text_field(row, "meaning"));
}

std::string clock_time(double ms) {
  constexpr double kMsMax = 4e12;  // the year 2096
  if (!(ms >= 0 && ms < kMsMax)) return "?";
  const auto whole = static_cast<int64_t>(ms);
  return fmt::format("{:%H:%M:%S}.{:03}", fmt::localtime(static_cast<std::time_t>(whole / 1000)),
                     whole % 1000);
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
    if (!text.empty()) out += fmt::format("    {:<10} {}\n", stage, text);
  };
  const json& before = field(row, "before");
  const json& after = field(row, "after");
  const json& flow = after.is_null() ? before : after;
  add("parsed", segment_line(field(row, "in")));
  add("looked up", before.is_null() ? "no flow" : "its flow");
  add("state", state_line(row));
  if (!flow.is_null()) {
    add("port", fmt::format("{} towards {}, {}", text_field(flow, "local"),
                            text_field(flow, "backend"), port_and_why(text_field(flow, "port"))));
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
