// SPDX-License-Identifier: BSD-3-Clause
// docs/counters.md names every drop reason and every event, and none that does not exist.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "dataplane/net/verdict.h"
#include "dataplane/state/counters.h"

namespace sluice {
namespace {

constexpr const char* kDocument = SLUICE_SOURCE_ROOT "/docs/counters.md";

TEST(DropReasons, EachHasANameAndHelpOfItsOwn) {
  std::set<std::string_view> names, helps;
  for (const net::CounterText& text : net::kDropReasonTexts)
    names.insert(text.name), helps.insert(text.help);
  for (const net::CounterText& text : kEventTexts) names.insert(text.name), helps.insert(text.help);
  EXPECT_EQ(names.size(), net::kDropReasonCount + kEventCount);
  EXPECT_EQ(helps.size(), net::kDropReasonCount + kEventCount);
}

TEST(DropReasons, AVerdictKeepsItsReason) {
  for (size_t i = 0; i < net::kDropReasonCount; ++i) {
    const auto reason = static_cast<net::DropReason>(i);
    EXPECT_FALSE(net::Verdict(reason).passed());
    EXPECT_EQ(net::Verdict(reason).reason(), reason);
  }
  EXPECT_TRUE(net::Verdict::pass().passed());
}

TEST(DropReasons, EachIsDocumented) {
  std::ifstream file(kDocument);
  if (!file) GTEST_SKIP() << kDocument << " does not exist yet";
  const std::string document{std::istreambuf_iterator<char>(file), {}};
  const auto expect_named = [&](std::string_view name) {
    EXPECT_NE(document.find("`" + std::string(name) + "`"), std::string::npos) << name;
  };
  for (const net::CounterText& text : net::kDropReasonTexts) expect_named(text.name);
  for (const net::CounterText& text : kEventTexts) expect_named(text.name);
}

}  // namespace
}  // namespace sluice
