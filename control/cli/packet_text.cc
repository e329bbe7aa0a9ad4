// SPDX-License-Identifier: BSD-3-Clause
// A sentence each.
#include "control/cli/packet_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <map>
#include <vector>

#include "control/common/api_answer.h"

namespace sluice::control {
namespace {

using nlohmann::json;

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

}  // namespace

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

std::string port_line(const json& flow) {
  return fmt::format("{} towards {}, {}", text_field(flow, "local"), text_field(flow, "backend"),
                     port_and_why(text_field(flow, "port")));
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
  if (verdict == "waiting") return "waits for the next hop to answer";
  if (verdict == "handed_off") return "handed to the worker that it belongs to";
  if (verdict == "to_kernel") return "handed to the host's kernel";
  if (verdict == "healed") {
    return fmt::format("healed, stale answers met: {}",
                       digits_field(field(row, "before"), "heals"));
  }
  if (verdict == "ended") {
    return fmt::format("ended, {}: {}", text_field(row, "reason"), text_field(row, "meaning"));
  }
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

std::string stage_line(const char* stage, const std::string& text) {
  return text.empty() ? "" : fmt::format("    {:<10} {}\n", stage, text);
}

}  // namespace sluice::control
