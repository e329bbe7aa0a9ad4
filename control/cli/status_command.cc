// SPDX-License-Identifier: BSD-3-Clause
// What `sluicectl status` says.
#include "control/cli/status_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/common/api_answer.h"
#include "control/common/finding.h"
#include "control/common/human.h"
#include "control/common/row_json.h"
#include "control/common/status_rows.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string finding_lines(const json& status) {
  const json& findings = list_field(judgement_of(status), "findings");
  if (findings.empty()) return "all is well\n";
  std::string out;
  for (const json& finding : findings) {
    out += fmt::format("{:<8} {}\n", severity_text(finding), text_field(finding, "what"));
    const std::string remedy = remedy_text(finding);
    if (!remedy.empty()) out += fmt::format("{:<8} remedy: {}\n", "", remedy);
  }
  return out;
}

// What most of the drops are; they may well be nobody's fault.
std::string most_drops(const json& status) {
  const auto drops = rows_of<CounterRow>(status, "drops");
  const auto rate = [](const auto& drop) { return drop.row.value.per_s.value_or(0); };
  const auto most = std::ranges::max_element(drops, {}, rate);
  if (most == drops.end() || rate(*most) == 0) return "";
  return fmt::format(" ({})", most->row.name);
}

}  // namespace

std::string render_status(const json& status) {
  if (judgement_of(status).is_null()) return "sluice has only just started\n";
  const TotalsRow totals = row_of<TotalsRow>(field(status, "totals")).row;
  std::string out = finding_lines(status);
  out += fmt::format(
      "sluice {}, up {}: {} connections open, {} new a second, {}bit/s to backends, {}bit/s back, "
      "{} drops a second{}\n",
      text_field(status, "version"), human_ms(1000 * number_field(status, "uptime_s")),
      human_count(totals.active), human_count(totals.connections_per_s),
      human_bits(totals.bits_in_per_s), human_bits(totals.bits_out_per_s),
      human_count(totals.drops_per_s), most_drops(status));
  return out;
}

bool is_red(const json& status) {
  return severity_field(judgement_of(status)) == Severity::kCritical;
}

Command status_command() {
  return command("status", "is all well, and if not, where not", [](const Session& session) {
    const json result = session.ask({{"command", "status"}});
    session.print(result, render_status(result));
    return is_red(result) ? kFailed : kAnswered;
  });
}

}  // namespace sluice::control
