// SPDX-License-Identifier: BSD-3-Clause
// The document, the alert rules and the dashboard name the metrics that there are.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "control/common/atomic_file.h"
#include "control/daemon/export/metric_rows.h"

namespace sluice::control {
namespace {

std::string text_of(const char* path) {
  return read_file(SLUICE_SOURCE_ROOT + std::string("/") + path);
}

// Names as Prometheus has them: a histogram's parts count as the histogram.
std::set<std::string> names_in(const std::string& text) {
  static const std::regex kName("\\b(sluice|process)_[a-z0-9_]+");
  std::set<std::string> names;
  for (std::sregex_iterator it(text.begin(), text.end(), kName), end; it != end; ++it) {
    std::string name = it->str();
    for (const char* part : {"_bucket", "_sum", "_count"}) {
      if (name.ends_with(part)) name.erase(name.size() - std::string_view(part).size());
    }
    names.insert(name);
  }
  return names;
}

std::set<std::string> known() {
  const auto names = metric_names();
  return {names.begin(), names.end()};
}

void expect_known(const std::set<std::string>& names, const char* where) {
  const std::set<std::string> metrics = known();
  for (const std::string& name : names) {
    EXPECT_TRUE(metrics.contains(name)) << where << " names " << name;
  }
}

TEST(MetricNames, EachOnce) {
  EXPECT_EQ(known().size(), metric_names().size());
}

TEST(MetricNames, TheDocumentListsThemAllAndNoOther) {
  const auto named = names_in(text_of("docs/metrics.md"));
  expect_known(named, "docs/metrics.md");
  for (const std::string& name : known()) EXPECT_TRUE(named.contains(name)) << name;
}

TEST(MetricNames, RulesAreMadeOfThem) {
  const auto named = names_in(text_of("conf/prometheus/sluice.rules.yml"));
  expect_known(named, "conf/prometheus/sluice.rules.yml");
  EXPECT_GT(named.size(), 10u);
}

TEST(MetricNames, TheDashboardIsMadeOfThem) {
  const std::string text = text_of("conf/grafana/sluice.json");
  const nlohmann::json dashboard = nlohmann::json::parse(text);
  std::set<int> ids;
  size_t queries = 0;
  for (const auto& panel : dashboard.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second);
    if (panel.at("type") == "row") continue;
    // What has not happened is zero, and not "No data".
    EXPECT_EQ(panel.at("fieldConfig").at("defaults").value("noValue", ""), "0") << panel["title"];
    for (const auto& target : panel.at("targets")) {
      ++queries;
      const std::string expr = target.at("expr");
      EXPECT_TRUE(!names_in(expr).empty() || expr.find("sluice:") != expr.npos) << expr;
    }
  }
  EXPECT_GT(queries, 25u);
  expect_known(names_in(text), "conf/grafana/sluice.json");
}

}  // namespace
}  // namespace sluice::control
