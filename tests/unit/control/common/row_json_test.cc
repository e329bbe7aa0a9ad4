// SPDX-License-Identifier: BSD-3-Clause
// Rows to JSON and back: nothing is lost, what another version has more or less does no harm.
#include "control/common/row_json.h"

#include <gtest/gtest.h>

#include <set>

#include "control/common/row_aliases.h"
#include "control/common/status_rows.h"
#include "tests/unit/control/common/full_row.h"

namespace sluice::control {
namespace {

using nlohmann::json;

template <class Row>
void expect_whole(const char* what) {
  const Row row = test::full_row<Row>();
  const json written = json_of(row, FieldPlace::kStatus);
  const AnsweredRow<Row> read = row_of<Row>(written);
  EXPECT_EQ(json_of(read.row, FieldPlace::kStatus), written) << what;
  size_t i = 0;
  for (const RowField<Row>& field : FieldsOf<Row>::kList) {
    EXPECT_TRUE(written.contains(field.name)) << what << "." << field.name;
    EXPECT_TRUE(read.has[i++]) << what << "." << field.name;
    EXPECT_STRNE(field.help, "") << what << "." << field.name;
  }
}

TEST(RowJson, EveryFieldOfEveryRowThereAndBack) {
  expect_whole<ServiceRow>("service");
  expect_whole<BackendRow>("backend");
  expect_whole<PoolRow>("pool");
  expect_whole<PoolSumRow>("pool sum");
  expect_whole<WorkerRow>("worker");
  expect_whole<InterfaceRow>("interface");
  expect_whole<LinkRow>("link");
  expect_whole<ProgramRow>("program");
  expect_whole<CounterRow>("counter");
  expect_whole<DrainRow>("drain");
  expect_whole<TotalsRow>("totals");
  expect_whole<FlowRow>("flow");
}

TEST(RowJson, ShowLeavesOutWhatOnlyTheStatusKnows) {
  WorkerRow worker;
  worker.lcore = 3;
  const json shown = json_of(worker, FieldPlace::kShow);
  EXPECT_EQ(shown.at("lcore"), 3);
  EXPECT_FALSE(shown.contains("severity"));
  EXPECT_FALSE(shown.contains("packets_in_per_s")) << "nobody has sampled it";
  worker.packets_in = {7, 1.5, 3};
  EXPECT_EQ(json_of(worker, FieldPlace::kShow).at("packets_in_per_s"), 1.5);
}

TEST(RowJson, OldNamesStandBeside) {
  PoolSumRow pool;
  pool.available = 5;
  pool.reuse_rebased = {7, 2.0, 3};
  pool.severity = Severity::kCritical;
  const json row = json_of(pool, FieldPlace::kStatus);
  EXPECT_EQ(row.at("free"), 5);
  EXPECT_EQ(row.at("reuse_fitted_per_s"), 2.0);
  EXPECT_EQ(row.at("severity"), "critical");
  EXPECT_EQ(row.at("level"), "bad");
}

TEST(RowJson, AnOlderSluiceIsUnderstood) {
  const json row = {
      {"free", 5}, {"reuse_fitted", 7}, {"reuse_fitted_per_s", 2.0}, {"level", "warn"}};
  const AnsweredRow<PoolSumRow> pool = row_of<PoolSumRow>(row);
  EXPECT_EQ(pool.row.available, 5u);
  EXPECT_EQ(pool.row.reuse_rebased, (Watched{7, 2.0, 0}));
  EXPECT_EQ(pool.row.severity, Severity::kWarning);
  EXPECT_TRUE(pool.has[index_of<PoolSumRow>(&PoolSumRow::available)]);
  EXPECT_FALSE(pool.has[index_of<PoolSumRow>(&PoolSumRow::in_use)]);
}

TEST(RowJson, WhatIsOfAnotherTypeIsMissing) {
  const json row = {{"lcore", "three"}, {"flows", -1},          {"polls", 1e300}, {"queues", 7},
                    {"ends_in_s", {}},  {"ends_soon", "often"}, {"later", true}};
  const AnsweredRow<WorkerRow> worker = row_of<WorkerRow>(row);
  for (size_t i = 0; i < worker.has.size(); ++i) {
    const bool known_to_be_none = std::string(FieldsOf<WorkerRow>::kList[i].name) == "ends_in_s";
    EXPECT_EQ(worker.has[i], known_to_be_none) << FieldsOf<WorkerRow>::kList[i].name;
  }
  EXPECT_TRUE(rows_of<WorkerRow>(json("text"), "workers").empty());
  EXPECT_TRUE(rows_of<WorkerRow>({{"workers", 7}}, "workers").empty());
  EXPECT_EQ(rows_of<WorkerRow>({{"workers", {7}}}, "workers").size(), 1u);
}

}  // namespace
}  // namespace sluice::control
