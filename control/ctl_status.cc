// SPDX-License-Identifier: BSD-3-Clause
// What `sluicectl status` says.
#include "control/ctl_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/ctl_table.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string verdict_lines(const json& verdict) {
  const json& findings = verdict.at("findings");
  if (findings.empty()) return "all is well\n";
  std::string out;
  for (const json& finding : findings) {
    out += fmt::format("{:<5} {}\n", finding.at("level").get<std::string>(),
                       finding.at("what").get<std::string>());
    const std::string mend = finding.at("mend");
    if (!mend.empty()) out += fmt::format("      mend: {}\n", mend);
  }
  return out;
}

// What most of the drops are; they may well be nobody's fault.
std::string most_drops(const json& status) {
  const json& drops = status.at("drops");
  const auto rate = [](const json& row) { return row.value("value_per_s", 0.0); };
  const auto most = std::ranges::max_element(drops, {}, rate);
  if (most == drops.end() || rate(*most) == 0) return "";
  return fmt::format(" ({})", most->at("name").get<std::string>());
}

}  // namespace

std::string render_status(const json& status) {
  if (!status.contains("verdict")) return "sluice has only just started\n";
  const json& totals = status.at("totals");
  std::string out = verdict_lines(status.at("verdict"));
  out += fmt::format(
      "sluice {}, up {}: {} connections open, {} new a second, {}bit/s to backends, {}bit/s back, "
      "{} drops a second{}\n",
      status.at("version").get<std::string>(), human_ms(1000 * status.at("uptime_s").get<double>()),
      human_count(totals.at("active")), human_count(totals.at("connections_per_s")),
      human_bits(totals.at("bits_in_per_s")), human_bits(totals.at("bits_out_per_s")),
      human_count(totals.at("drops_per_s")), most_drops(status));
  return out;
}

bool is_red(const json& status) {
  return status.contains("verdict") && status["verdict"].at("level") == "bad";
}

}  // namespace sluice::control
