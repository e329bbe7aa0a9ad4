// SPDX-License-Identifier: BSD-3-Clause
// sluicectl before the answers of another version: fields are missing, of another type, or hold
// words that it has never heard of. It shows what it can, in one way or another, and never dies.
#include "control/common/api_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "control/cli/api_client.h"
#include "tests/fuzz/show_answer.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string refusal_of(const std::string& line) {
  try {
    result_of(line, "/run/it");
    return "";
  } catch (const ApiError& error) {
    return error.what();
  }
}

TEST(Answer, FieldsReadAsStandInsWhereTheyAreNot) {
  const json row = {{"text", "a\x1b[2Jb"}, {"number", 5}, {"flag", true}, {"list", {1}}};
  EXPECT_EQ(text_field(row, "text"), "a?[2Jb");
  EXPECT_EQ(text_field(row, "number"), "5");
  EXPECT_EQ(text_field(row, "none"), "?");
  EXPECT_EQ(number_field(row, "number"), 5);
  EXPECT_EQ(number_field(row, "text", -1), -1);
  EXPECT_TRUE(flag_field(row, "flag"));
  EXPECT_FALSE(flag_field(row, "number"));
  EXPECT_EQ(list_field(row, "list").size(), 1u);
  EXPECT_TRUE(list_field(row, "text").empty());
  EXPECT_EQ(digits_field({{"seq", 4000000000u}}, "seq"), "4000000000");
  EXPECT_EQ(digits_field(row, "text"), "?");
  EXPECT_TRUE(field(json(7), "x").is_null());
  EXPECT_EQ(dumped(json("\xff"), -1), "\"\xEF\xBF\xBD\"");
}

TEST(Answer, WhatCannotBeShownIsOneLine) {
  EXPECT_THAT(refusal_of("HTTP/1.1 400 Bad Request\n"), HasSubstr("does not speak Sluice"));
  EXPECT_THAT(refusal_of("{\"ok\":true,\"result\":" + std::string(5000, '[') + "\n"),
              HasSubstr("does not speak Sluice"));
  EXPECT_THAT(refusal_of(R"({"ok":true,"result":)" + std::string(5000, '[') +
                         std::string(5000, ']') + "}\n"),
              HasSubstr("does not speak Sluice"));
  EXPECT_THAT(refusal_of(R"({"ok":true,"api":2,"version":"9.9","result":{}})"),
              HasSubstr("newer than this program (sluice 9.9 is running"));
  EXPECT_THAT(refusal_of(R"({"ok":false,"error":"unknown command \"x\"","version":"0.0.1"})"),
              HasSubstr("unknown command \"x\" (sluice 0.0.1 is running, this is sluicectl"));
  EXPECT_THAT(refusal_of(R"({"ok":false,"error":"unknown command \"x\""})"),
              HasSubstr("of another version is running"));
  EXPECT_EQ(refusal_of(R"({"ok":false,"error":{"code":7}})"), R"({"code":7})");
  EXPECT_EQ(refusal_of(R"({"ok":false})"), "refused without a reason");
}

TEST(Answer, AnOlderOneHasNoVersion) {
  EXPECT_EQ(result_of(R"({"ok":true,"result":{"a":1}})", "s"), json({{"a", 1}}));
}

TEST(Answer, WordsOfALaterVersionAreShownAsTheyAre) {
  EXPECT_THAT(render_explanation({{"tuple", "half_open"}}), HasSubstr("half_open"));
  const std::string packet = render_packet(
      {{"after", {{"port", "stolen"}, {"state", "sideways"}}}, {"verdict", "mirrored"}});
  EXPECT_THAT(packet, HasSubstr(", stolen\n"));
  EXPECT_THAT(packet, HasSubstr("  from the "));
  EXPECT_THAT(render_packet({{"protocol", "sctp"}}), HasSubstr("  sctp from the "));
  EXPECT_THAT(packet, HasSubstr("none > sideways"));
  EXPECT_THAT(packet, HasSubstr("mirrored"));
  EXPECT_THAT(render_doctor({{"findings", {{{"severity", "fatal"}, {"what", "all of it"}}}}}),
              HasSubstr("fatal    ?           all of it"));
}

// One change somewhere in the tree: a member or an element goes, or becomes something else.
void change_somewhere(json& tree, std::mt19937& random) {
  static const json kOthers[] = {
      nullptr, true, -1, 1e300, "a later word", "", json::array({}), {{1, 2}}, {{"a", {{"b", 1}}}}};
  json* at = &tree;
  while (at->is_structured() && !at->empty() && random() % 4 != 0) {
    auto child = at->begin();
    std::advance(child, random() % at->size());
    if (random() % 8 == 0) {
      at->erase(child);
      return;
    }
    at = &*child;
  }
  *at = kOthers[random() % std::size(kOthers)];
}

TEST(Answer, NoChangeOfAnyAnswerIsTooMuch) {
  const std::filesystem::path corpus = SLUICE_SOURCE_ROOT "/tests/fuzz/corpus/answer";
  std::mt19937 random(30);
  size_t shown_count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
    std::ifstream file(entry.path());
    std::string line;
    std::getline(file, line);
    const json whole = json::parse(line, nullptr, false);
    if (!whole.is_object()) continue;
    for (int i = 0; i < 60; ++i) {
      json changed = whole;
      for (size_t changes = 1 + random() % 3; changes > 0; --changes) {
        change_somewhere(changed, random);
      }
      try {
        test::show_in_every_way(result_of(dumped(changed, -1), "socket"));
        ++shown_count;
      } catch (const ApiError&) {
        // One line.
      }
    }
  }
  EXPECT_GT(shown_count, 200u);
}

}  // namespace
}  // namespace sluice::control
