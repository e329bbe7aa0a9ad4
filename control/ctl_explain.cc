// SPDX-License-Identifier: BSD-3-Clause
// What the ledger knows of a tuple, and what would become of a SYN, a line each.
#include "control/ctl_explain.h"

#include <fmt/format.h>

#include "control/ctl_table.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string tuple_line(const json& answer) {
  const std::string tuple = answer.at("tuple");
  if (tuple == "fresh") return "never used since Sluice started";
  const std::string ago = human_ms(answer.at("age_ms"));
  if (tuple == "clean") return fmt::format("ended {} ago; the backend has forgotten it", ago);
  const bool over = !answer.at("in_time_wait").get<bool>();
  return fmt::format("ended {} ago; the backend was left in TIME_WAIT{}", ago,
                     over ? ", which is over by now" : "");
}

std::string numbers_line(const json& answer) {
  std::string line = fmt::format("last sequence {}", answer.at("last_sequence").get<uint32_t>());
  if (!answer.at("timestamps").get<bool>()) return line + ", no timestamps";
  return line + fmt::format(", last TSval {}", answer.at("last_tsval").get<uint32_t>());
}

// What the rules in force make of the SYN once this port is the one to use.
std::string syn_line(const json& answer) {
  if (answer.at("taken_as_it_is").get<bool>() || !answer.at("in_time_wait").get<bool>()) {
    return "the backend takes it as it is";
  }
  const std::string reuse = answer.at("reuse");
  if (reuse != "rebase") {
    return fmt::format("the backend would answer with a stale ACK; reuse = \"{}\" waits", reuse);
  }
  return fmt::format(
      "the backend would answer with a stale ACK; fitted by TSval {:+} and sequence {:+} it is "
      "taken",
      answer.at("ts_offset").get<int64_t>(), answer.at("seq_offset").get<int64_t>());
}

}  // namespace

std::string render_explanation(const json& answer) {
  std::string out;
  const auto add = [&out](const char* title, const std::string& text) {
    out += fmt::format("{:<9} {}\n", title, text);
  };
  add("now", answer.at("in_use").get<bool>() ? "in use by a flow" : "free");
  add("history", tuple_line(answer));
  if (answer.at("tuple") == "held") add("numbers", numbers_line(answer));
  if (answer.contains("taken_as_it_is")) add("this SYN", syn_line(answer));
  return out;
}

}  // namespace sluice::control
