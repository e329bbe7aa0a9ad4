// SPDX-License-Identifier: BSD-3-Clause
// Every field that is said to be a metric is one: a change of it changes what is exported.
#include "control/daemon/export/metric_rows.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <set>

#include "dataplane/state/histogram.h"
#include "tests/unit/control/common/full_row.h"

namespace sluice::control {
namespace {

template <class Row>
using RowsOf = std::vector<Row>;

struct Everything {
  ShownRows rows;
  Status status;
};

Everything everything() {
  Everything all;
  all.rows = {test::full_row<ProgramRow>(),   {test::full_row<ServiceRow>()},
              {test::full_row<BackendRow>()}, {test::full_row<PoolRow>()},
              {test::full_row<WorkerRow>()},  {test::full_row<InterfaceRow>()},
              {test::full_row<CounterRow>()}, {test::full_row<CounterRow>()}};
  all.rows.backends[0].handshake_counts.assign(kHandshakeBoundsUs.size() + 1, 1);
  all.rows.workers[0].burst_counts.assign(kBurstBounds.size() + 1, 1);
  all.status.services = all.rows.services;
  all.status.backends = all.rows.backends;
  all.status.pools = {test::full_row<PoolSumRow>()};
  all.status.workers = all.rows.workers;
  all.status.interfaces = {test::full_row<LinkRow>()};
  return all;
}

std::string exported(const Everything& all) {
  return prometheus::TextSerializer().Serialize(collect_metrics(all.rows, all.status));
}

// Of the rows that `place` gives.
template <class Row, class Place>
void expect_metrics(const char* what, Place&& place) {
  const Everything before = everything();
  for_each_field<Row>([&](const RowField<Row>& field, auto member) {
    if (field.kind != FieldKind::kCounter && field.kind != FieldKind::kGauge) return;
    Everything after = before;
    test::change(place(after).*member, 1'000'000);
    EXPECT_NE(exported(before), exported(after)) << what << "." << field.name;
  });
}

TEST(MetricRows, EveryCounterAndGaugeIsAMetric) {
  expect_metrics<ProgramRow>(
      "program", [](Everything & all) -> auto& { return all.rows.program; });
  expect_metrics<PoolRow>(
      "pool", [](Everything & all) -> auto& { return all.rows.pools[0]; });
  expect_metrics<InterfaceRow>(
      "interface", [](Everything & all) -> auto& { return all.rows.interfaces[0]; });
  expect_metrics<CounterRow>(
      "drop", [](Everything & all) -> auto& { return all.rows.drops[0]; });
  expect_metrics<CounterRow>(
      "event", [](Everything & all) -> auto& { return all.rows.events[0]; });
  expect_metrics<PoolSumRow>(
      "pools", [](Everything & all) -> auto& { return all.status.pools[0]; });
  expect_metrics<LinkRow>(
      "link", [](Everything & all) -> auto& { return all.status.interfaces[0]; });
}

// Their figures are of `show`, their severity is of the status.
template <class Row>
void expect_metrics_of_both(const char* what, RowsOf<Row> ShownRows::*rows,
                            RowsOf<Row> Status::*status) {
  const Everything before = everything();
  for_each_field<Row>([&](const RowField<Row>& field, auto member) {
    if (field.kind != FieldKind::kCounter && field.kind != FieldKind::kGauge) return;
    Everything after = before;
    Row& row = field.place == FieldPlace::kShow ? (after.rows.*rows)[0] : (after.status.*status)[0];
    test::change(row.*member, 1'000'000);
    EXPECT_NE(exported(before), exported(after)) << what << "." << field.name;
  });
}

TEST(MetricRows, EveryCounterGaugeAndSeverityOfAJudgedRowIsAMetric) {
  expect_metrics_of_both("service", &ShownRows::services, &Status::services);
  expect_metrics_of_both("backend", &ShownRows::backends, &Status::backends);
  expect_metrics_of_both("worker", &ShownRows::workers, &Status::workers);
}

TEST(MetricRows, EachFamilyStandsOnceWithHelpAndType) {
  const Everything all = everything();
  std::set<std::string> seen;
  for (const prometheus::MetricFamily& family : collect_metrics(all.rows, all.status)) {
    EXPECT_TRUE(seen.insert(family.name).second) << family.name << " stands twice";
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_FALSE(family.metric.empty()) << family.name;
    const bool grows = family.name.ends_with("_total");
    EXPECT_EQ(grows, family.type == prometheus::MetricType::Counter) << family.name;
  }
  const auto names = metric_names();
  EXPECT_EQ(seen, (std::set<std::string>{names.begin(), names.end()}));
  const std::string text = exported(all);
  for (const std::string& name : names) {
    EXPECT_NE(text.find("# HELP " + name + " "), std::string::npos) << name;
    EXPECT_NE(text.find("# TYPE " + name + " "), std::string::npos) << name;
  }
}

// A scrape with two samples of the same name and labels is refused as a whole.
void expect_no_sample_twice(const Everything& all, const std::string& what) {
  for (const prometheus::MetricFamily& family : collect_metrics(all.rows, all.status)) {
    std::set<std::string> seen;
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string labels;
      for (const auto& label : metric.label) labels += label.name + "=" + label.value + ",";
      EXPECT_TRUE(seen.insert(labels).second) << what << ": " << family.name << " " << labels;
    }
  }
}

// One row more, which differs from the first in one of its names.
template <class Row, class Rows>
void expect_names_to_be_labels(const char* what, Rows&& rows_in) {
  for_each_field<Row>([&](const RowField<Row>& field, auto member) {
    if (field.kind != FieldKind::kName) return;
    Everything all = everything();
    for (std::vector<Row>* rows : rows_in(all)) {
      rows->push_back(rows->front());
      test::change(rows->back().*member, 1);
    }
    expect_no_sample_twice(all, std::string(what) + "." + field.name);
  });
}

TEST(MetricRows, WhateverTellsTwoRowsApartIsALabel) {
  expect_names_to_be_labels<ServiceRow>("service", [](Everything& all) {
    return std::vector{&all.rows.services, &all.status.services};
  });
  expect_names_to_be_labels<BackendRow>("backend", [](Everything& all) {
    return std::vector{&all.rows.backends, &all.status.backends};
  });
  expect_names_to_be_labels<PoolRow>("pool",
                                     [](Everything& all) { return std::vector{&all.rows.pools}; });
  expect_names_to_be_labels<PoolSumRow>(
      "pools", [](Everything& all) { return std::vector{&all.status.pools}; });
  expect_names_to_be_labels<WorkerRow>("worker", [](Everything& all) {
    return std::vector{&all.rows.workers, &all.status.workers};
  });
  expect_names_to_be_labels<InterfaceRow>(
      "interface", [](Everything& all) { return std::vector{&all.rows.interfaces}; });
}

TEST(MetricRows, AHandshakeThatWasCountedIsInItsHistogram) {
  Everything all = everything();
  const std::string before = exported(all);
  all.rows.backends[0].handshake_counts[0] = 5;
  EXPECT_NE(exported(all), before);
}

}  // namespace
}  // namespace sluice::control
