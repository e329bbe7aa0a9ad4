// SPDX-License-Identifier: BSD-3-Clause
// Findings to JSON and back.
#include "control/common/finding.h"

#include "control/common/api_answer.h"
#include "control/common/row_json.h"

namespace sluice::control {
namespace {

constexpr const char* kSeverity = "severity";
constexpr const char* kRemedy = "remedy";

}  // namespace

nlohmann::json to_json_row(const Finding& item) {
  nlohmann::json row = {{"what", item.what}};
  put_field(row, kSeverity, item.severity);
  put_field(row, kRemedy, item.remedy);
  return row;
}

nlohmann::json to_json_row(const Diagnosis& item) {
  nlohmann::json row = to_json_row(Finding{item.severity, item.what, item.remedy});
  row["area"] = item.area;
  return row;
}

Severity severity_field(const nlohmann::json& row) {
  Severity severity = Severity::kOk;
  read_field(row, kSeverity, severity);
  return severity;
}

std::string severity_text(const nlohmann::json& row) {
  Severity severity = Severity::kOk;
  if (read_field(row, kSeverity, severity)) return std::string(to_string(severity));
  return text_field(row, kSeverity, text_field(row, "level"));
}

std::string remedy_text(const nlohmann::json& row) {
  String remedy;
  read_field(row, kRemedy, remedy);
  return remedy;
}

const nlohmann::json& judgement_of(const nlohmann::json& status) {
  return field(status, kSeverity).is_null() ? field(status, "verdict") : status;
}

}  // namespace sluice::control
