// SPDX-License-Identifier: BSD-3-Clause
// docs/status.md and the page name the fields that there are.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "control/common/atomic_file.h"
#include "control/common/status_rows.h"

namespace sluice::control {
namespace {

std::string source_text(const char* path) {
  return read_file(SLUICE_SOURCE_ROOT + std::string("/") + path);
}

// As the document has it: the field with its rates, its meaning, and where it is.
template <class Row>
std::string line_of(const RowField<Row>& field) {
  std::string names = fmt::format("`{}`", field.name);
  if (std::holds_alternative<Watched Row::*>(field.member)) {
    names += fmt::format(", `{0}_per_s`, `{0}_recent`", field.name);
  } else if (std::holds_alternative<Trended Row::*>(field.member)) {
    names += fmt::format(", `{}_trend`", field.name);
  }
  return fmt::format("| {} | {}{} |\n", names, field.help,
                     field.place == FieldPlace::kStatus ? " (*status*)" : "");
}

// The lines of a section's table, heads aside.
std::string table_of(const std::string& text, const std::string& section) {
  const size_t begin = text.find("\n## " + section + "\n");
  if (begin == std::string::npos) return "";
  const size_t lines = text.find("|---|---|\n", begin) + 10;
  return text.substr(lines, text.find("\n\n", lines) + 1 - lines);
}

template <class Row>
void expect_documented(const std::string& text, const char* section) {
  std::string table;
  for (const RowField<Row>& field : FieldsOf<Row>::kList) table += line_of(field);
  EXPECT_EQ(table_of(text, section), table) << section;
}

TEST(StatusDocument, HasEveryFieldAndNoOther) {
  const std::string text = source_text("docs/status.md");
  expect_documented<ServiceRow>(text, "Service");
  expect_documented<BackendRow>(text, "Backend");
  expect_documented<PoolRow>(text, "Pool");
  expect_documented<PoolSumRow>(text, "PoolSum");
  expect_documented<WorkerRow>(text, "Worker");
  expect_documented<InterfaceRow>(text, "Interface");
  expect_documented<LinkRow>(text, "Link");
  expect_documented<ProgramRow>(text, "Program");
  expect_documented<CounterRow>(text, "Counter");
  expect_documented<RefusalRow>(text, "Refusal");
  expect_documented<DrainRow>(text, "Drain");
  expect_documented<TotalsRow>(text, "Totals");
  expect_documented<StageRow>(text, "Stage");
  expect_documented<FlowRow>(text, "Flow");
}

template <class Row>
void add_names(std::set<std::string>& names) {
  for (const RowField<Row>& field : FieldsOf<Row>::kList) {
    names.insert(field.name);
    for (const char* part : {"_per_s", "_recent", "_trend"}) {
      names.insert(field.name + std::string(part));
    }
  }
}

TEST(StatusPage, ReadsFieldsThatThereAre) {
  std::set<std::string> known;
  add_names<ServiceRow>(known);
  add_names<BackendRow>(known);
  add_names<PoolSumRow>(known);
  add_names<WorkerRow>(known);
  add_names<LinkRow>(known);
  add_names<CounterRow>(known);
  add_names<RefusalRow>(known);
  const std::string script = source_text("control/daemon/export/page/page.js");
  // row.name, and what a column's helper is given: number("title", "name".
  for (const char* pattern : {"\\brow\\.([a-z_0-9]+)",
                              "\\b(?:number|perSecond|traffic|word|duration)\\(\"[^\"]*\", "
                              "\"([a-z_0-9]+)\""}) {
    const std::regex names(pattern);
    size_t found = 0;
    for (std::sregex_iterator it(script.begin(), script.end(), names), end; it != end; ++it) {
      EXPECT_TRUE(known.contains((*it)[1])) << (*it)[0];
      ++found;
    }
    EXPECT_GT(found, 20u);
  }
}

}  // namespace
}  // namespace sluice::control
