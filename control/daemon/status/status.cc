// SPDX-License-Identifier: BSD-3-Clause
// The status to JSON and back.
#include "control/daemon/status/status.h"

#include "control/common/row_json.h"

namespace sluice::control {
namespace {

using nlohmann::json;

template <class Row>
void read_rows(const json& status, const char* key, std::vector<Row>& rows) {
  for (auto& answered : rows_of<Row>(status, key)) rows.push_back(std::move(answered.row));
}

}  // namespace

void put_findings(json& status, const std::vector<Finding>& findings) {
  json rows = json::array();
  for (const Finding& finding : findings) rows.push_back(to_json_row(finding));
  const Severity worst = findings.empty() ? Severity::kOk : findings.front().severity;
  status["severity"] = to_string(worst);
  status["findings"] = rows;
  status["verdict"] = {{"level", old_word(worst)}, {"findings", rows}};
}

json json_of(const Status& status) {
  constexpr FieldPlace kAll = FieldPlace::kStatus;
  json out = {{"time_ms", status.time_ms},
              {"uptime_s", status.uptime_s},
              {"version", status.program.version},
              {"program", json_of(status.program, kAll)},
              {"drain", json_of(status.drain, kAll)},
              {"services", json_of(status.services, kAll)},
              {"backends", json_of(status.backends, kAll)},
              {"pools", json_of(status.pools, kAll)},
              {"workers", json_of(status.workers, kAll)},
              {"interfaces", json_of(status.interfaces, kAll)},
              {"drops", json_of(status.drops, kAll)},
              {"events", json_of(status.events, kAll)},
              {"refusals", json_of(status.refusals, kAll)},
              {"totals", json_of(status.totals, kAll)},
              {"history", status.history}};
  put_findings(out, status.findings);
  return out;
}

Status status_of(const json& status) {
  Status out;
  if (const auto program = status.find("program"); program != status.end()) {
    out.program = row_of<ProgramRow>(*program).row;
  }
  if (const auto drain = status.find("drain"); drain != status.end()) {
    out.drain = row_of<DrainRow>(*drain).row;
  }
  read_rows(status, "services", out.services);
  read_rows(status, "backends", out.backends);
  read_rows(status, "pools", out.pools);
  read_rows(status, "workers", out.workers);
  read_rows(status, "interfaces", out.interfaces);
  read_rows(status, "drops", out.drops);
  read_rows(status, "events", out.events);
  read_rows(status, "refusals", out.refusals);
  return out;
}

}  // namespace sluice::control
