// SPDX-License-Identifier: BSD-3-Clause
// Asks for a trace, prints what it catches, and ends it.
#include "control/ctl_trace.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "control/api_client.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kPeriod{100};

volatile std::sig_atomic_t interrupted = 0;

std::string segment_line(const json& segment) {
  std::string line = fmt::format(
      "{} > {}  {}  seq {} ack {}", segment.at("source").get<std::string>(),
      segment.at("destination").get<std::string>(), segment.at("flags").get<std::string>(),
      segment.at("seq").get<uint32_t>(), segment.at("ack").get<uint32_t>());
  if (segment.contains("tsval")) {
    line += fmt::format("  tsval {} tsecr {}", segment.at("tsval").get<uint32_t>(),
                        segment.at("tsecr").get<uint32_t>());
  }
  return line + fmt::format("  {} bytes, window {}, ttl {}", segment.at("payload_bytes").get<int>(),
                            segment.at("window").get<int>(), segment.at("ttl").get<int>());
}

std::string state_of(const json& flow) {
  return flow.is_null() ? "none" : flow.at("state").get<std::string>();
}

std::string state_line(const json& row) {
  const std::string before = state_of(row.at("before")), after = state_of(row.at("after"));
  return before == after ? before : fmt::format("{} > {}", before, after);
}

const char* why_that_port(const std::string& port) {
  static const std::map<std::string, const char*> kWhy = {
      {"fresh", "never used since Sluice started"},
      {"clean", "the backend has forgotten its last connection"},
      {"rested", "TIME_WAIT of its last connection was over"},
      {"natural", "in TIME_WAIT, and the backend takes this SYN as it is"},
      {"fitted", "in TIME_WAIT, and the SYN was fixed so that the backend takes it"}};
  return kWhy.at(port);
}

std::string fix_line(const json& flow) {
  const int64_t tsval = flow.at("ts_offset"), sequence = flow.at("seq_offset");
  std::vector<std::string> parts;
  if (tsval != 0) parts.push_back(fmt::format("TSval {:+}", tsval));
  if (sequence != 0) parts.push_back(fmt::format("sequence {:+}", sequence));
  if (flow.at("rewritten") == true) parts.emplace_back("timestamps on Sluice's clock");
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string verdict_line(const json& row) {
  const std::string verdict = row.at("verdict");
  if (verdict == "waiting") return "waits for the next hop to answer ARP";
  if (verdict == "handed_off") return "handed to the worker that it belongs to";
  if (verdict == "to_kernel") return "handed to the host's kernel";
  if (verdict != "dropped") return verdict;
  return fmt::format("dropped, {}: {}", row.at("reason").get<std::string>(),
                     row.at("meaning").get<std::string>());
}

std::string clock_time(uint64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  return fmt::format("{:%H:%M:%S}.{:03}", fmt::localtime(seconds), ms % 1000);
}

// Of one row of trace_read.
std::string render_packet(const json& row) {
  std::string out =
      fmt::format("#{}  {}  from the {} on {}, worker {}{}\n", row.at("number").get<uint32_t>(),
                  clock_time(row.at("time_ms")), row.at("from").get<std::string>(),
                  row.at("interface").get<std::string>(), row.at("worker").get<uint32_t>(),
                  row.at("taken_over") == true ? " (received by another)" : "");
  const auto add = [&out](const char* stage, const std::string& text) {
    if (!text.empty()) out += fmt::format("    {:<10} {}\n", stage, text);
  };
  const json& before = row.at("before");
  const json& after = row.at("after");
  const json& flow = after.is_null() ? before : after;
  add("parsed", segment_line(row.at("in")));
  add("looked up", before.is_null() ? "no flow" : "its flow");
  add("state", state_line(row));
  if (!flow.is_null()) {
    const std::string port = flow.at("port");
    add("port", fmt::format("{} towards {}, {}: {}", flow.at("local").get<std::string>(),
                            flow.at("backend").get<std::string>(), port, why_that_port(port)));
    add("fix", fix_line(flow));
  }
  if (!row.at("out").is_null()) add("rewritten", segment_line(row.at("out")));
  add("verdict", verdict_line(row));
  const auto counted = row.at("counted").get<std::vector<std::string>>();
  add("counted", fmt::format("{}", fmt::join(counted, ", ")));
  return out;
}

struct TraceOptions {
  std::string client, service;
  uint32_t count = 100, seconds = 60;
};

// Ends a trace however it is left.
class RunningTrace {
 public:
  RunningTrace(const std::string& socket, const TraceOptions& options) : socket_(socket) {
    json request = {{"command", "trace_start"},
                    {"client", options.client},
                    {"count", options.count},
                    {"seconds", options.seconds}};
    if (!options.service.empty()) request["service"] = options.service;
    id_ = ask(socket_, request).at("trace");
  }
  ~RunningTrace() {
    if (over_) return;
    try {
      ask(socket_, {{"command", "trace_stop"}, {"trace", id_}});
    } catch (const ApiError&) {
      // Sluice has ended it.
    }
  }
  RunningTrace(const RunningTrace&) = delete;
  RunningTrace& operator=(const RunningTrace&) = delete;

  json read() {
    const json answer = ask(socket_, {{"command", "trace_read"}, {"trace", id_}});
    over_ = answer.at("over");
    return answer.at("packets");
  }
  bool is_over() const { return over_; }

 private:
  std::string socket_;
  uint64_t id_ = 0;
  bool over_ = false;
};

void trace(const std::string& socket, bool as_json, const TraceOptions& options) {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });
  RunningTrace running(socket, options);
  fmt::print(stderr, "tracing {}: {} packets or {} s; Ctrl-C ends it\n", options.client,
             options.count, options.seconds);
  for (bool last = false; !last; std::this_thread::sleep_for(kPeriod)) {
    last = interrupted;
    for (const json& row : running.read()) {
      fmt::print("{}{}", as_json ? row.dump() : render_packet(row), as_json ? "\n" : "");
    }
    if (std::fflush(stdout) != 0 || running.is_over()) break;
  }
}

}  // namespace

void add_trace_command(CLI::App& app, const std::string& socket, const bool& as_json) {
  auto options = std::make_shared<TraceOptions>();
  CLI::App* command =
      app.add_subcommand("trace", "the next packets of a client, stage by stage, as they come");
  command->add_option("--client", options->client, "address, or address:port")->required();
  command->add_option("--service", options->service, "only to this one");
  command->add_option("--count", options->count, "packets at most")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "how long at most")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->callback([=, &socket, &as_json] { trace(socket, as_json, *options); });
}

}  // namespace sluice::control
