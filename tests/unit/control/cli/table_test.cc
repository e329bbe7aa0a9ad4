// SPDX-License-Identifier: BSD-3-Clause
// Tables as people see them.
#include "control/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "control/cli/explain_command.h"
#include "control/cli/row_cell.h"

namespace sluice::control {
namespace {

TEST(CtlTable, NumbersToTheRightTextToTheLeft) {
  const nlohmann::json result = {
      {"services",
       {{{"name", "a"}, {"vip", "10.3.0.1:80"}, {"active", 5}, {"connections", 1234567}},
        {{"name", "longer"}, {"vip", "10.3.0.2:80"}, {"active", 12345}, {"connections", 1}}}}};
  EXPECT_EQ(render_table("services", result),
            "SERVICE  VIP          PROTOCOL  SCHEDULER  LOCAL POOL  TIMESTAMPS  HEALTH CHECK  "
            "BACKENDS  ACTIVE  "
            "CONNECTIONS  REFUSED\n"
            "a        10.3.0.1:80  -         -          -           -           -                  "
            "  -       5  "
            "  1,234,567        -\n"
            "longer   10.3.0.2:80  -         -          -           -           -                  "
            "  -  12,345  "
            "          1        -\n");
}

TEST(CtlTable, SaysWhenThereIsNothingOrMore) {
  EXPECT_EQ(render_table("flows", {{"flows", nlohmann::json::array()}, {"total", 0}}),
            "no flows\n");
  EXPECT_EQ(render_table("flows", nlohmann::json::object()), "nothing to show for flows\n");
  EXPECT_EQ(render_table("nonsense", nlohmann::json::object()), "nothing to show for nonsense\n");
  const std::string text =
      render_table("flows", {{"flows", {{{"client", "10.1.0.1:5"}}}}, {"total", 70000}});
  EXPECT_NE(text.find("... 1 of 70,000\n"), std::string::npos) << text;
}

TEST(CtlTable, BackendsFitATerminalAndWideOnesAreWhole) {
  const std::string service(63, 's'), why(200, 'w');
  const nlohmann::json row = {{"service", service},
                              {"address", "255.255.255.255:65535"},
                              {"weight", 1000},
                              {"state", "unhealthy"},
                              {"handshake_p50_ms", 3599999.0},
                              {"active", 9999999},
                              {"connections", 1e15},
                              {"refused", 9999999},
                              {"heals", 17},
                              {"why", why}};
  const nlohmann::json result = {{"backends", {row, {{"health_reason", "of an older sluice"}}}}};
  const std::string text = render_table("backends", result);
  size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
  EXPECT_LE(longest, kTerminalColumns) << text;
  EXPECT_NE(text.find("255.255.255.255:65535"), std::string::npos) << text;
  EXPECT_NE(text.find("www~"), std::string::npos) << text;
  EXPECT_NE(text.find("of an old"), std::string::npos) << text;
  EXPECT_EQ(text.find("HEALS"), std::string::npos) << text;
  const std::string wide = render_table("backends", result, Width::kWide);
  EXPECT_NE(wide.find(service), std::string::npos);
  EXPECT_NE(wide.find(why), std::string::npos);
  EXPECT_NE(wide.find("HEALS"), std::string::npos);
}

// The longest address: its head and its end stay, in a terminal; all of it in a wide table.
TEST(CtlTable, LongAddressesAreCutInTheMiddle) {
  const std::string longest = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535";
  const nlohmann::json row = {{"service", std::string(63, 's')},
                              {"address", longest},
                              {"weight", 1000},
                              {"state", "unhealthy"},
                              {"handshake_p50_ms", 3599999.0},
                              {"active", 9999999},
                              {"connections", 1e15},
                              {"refused", 9999999},
                              {"why", std::string(200, 'w')}};
  const nlohmann::json result = {{"backends", {row}}};
  const std::string text = render_table("backends", result);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), kTerminalColumns);
  EXPECT_NE(text.find("[2001:db8"), std::string::npos) << text;
  EXPECT_NE(text.find("ffff]:65535"), std::string::npos) << text;
  EXPECT_NE(render_table("backends", result, Width::kWide).find(longest), std::string::npos);
  EXPECT_EQ(fit_address("[fd00::10]:80", 9), "[fd0~]:80");
  EXPECT_EQ(fit_address("[fd00::10]:80", 15), "[fd00::10]:80  ");
  EXPECT_EQ(fit_address("[fd00::10]:80", 1), "~");
  EXPECT_EQ(fit_address("[fd00::10]:80", 0), "");
}

TEST(CtlTable, EveryTableHasAName) {
  EXPECT_EQ(table_names(),
            (std::vector<std::string>{"services", "backends", "drain", "flows", "pools", "workers",
                                      "stages", "interfaces", "program", "refusals", "counters"}));
}

TEST(CtlExplain, AnOlderSluiceIsUnderstood) {
  const std::string text = render_explanation({{"tuple", "clean"}, {"age_ms", 1500}});
  EXPECT_NE(text.find("ended 1.5s ago; the backend has forgotten it"), std::string::npos) << text;
}

TEST(CtlExplain, AFlowOfDatagramsLeavesNothing) {
  const std::string text = render_explanation(
      {{"in_use", false}, {"prior", "available"}, {"protocol", "udp"}, {"age_ms", 1500}});
  EXPECT_EQ(text,
            "now       available\n"
            "history   its last flow ended 1.5s ago\n");
}

TEST(CtlExplain, SaysWhatIsKnownAndWhatASynWouldMeet) {
  nlohmann::json answer = {
      {"in_use", false}, {"prior", "fresh"}, {"in_time_wait", false}, {"reuse", "natural"}};
  EXPECT_EQ(render_explanation(answer),
            "now       available\n"
            "history   never used since Sluice started\n");
  answer.update({{"prior", "time_wait"},
                 {"in_time_wait", true},
                 {"age_ms", 1500},
                 {"last_sequence", 4000000000},
                 {"timestamps", true},
                 {"last_tsval", 7},
                 {"taken_as_it_is", false},
                 {"ts_offset", 5},
                 {"seq_offset", -3}});
  EXPECT_EQ(render_explanation(answer),
            "now       available\n"
            "history   ended 1.5s ago; the backend was left in TIME_WAIT\n"
            "numbers   last sequence 4000000000, last TSval 7\n"
            "this SYN  the backend would answer with a stale ACK; reuse = \"natural\" waits\n");
  answer["reuse"] = "rebase";
  EXPECT_NE(render_explanation(answer).find("rebased by TSval +5 and sequence -3"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::control
