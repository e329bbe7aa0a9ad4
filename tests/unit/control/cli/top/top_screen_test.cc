// SPDX-License-Identifier: BSD-3-Clause
// The screen of `sluicectl top`, read as text.
#include "control/cli/top/top_screen.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using nlohmann::json;

json backend(int i, double rate, const char* severity = "ok") {
  return {{"address", fmt::format("10.2.0.{}:80", i)},
          {"service", "web"},
          {"severity", severity},
          {"condition", std::string(severity) == "ok" ? "up" : "refuses"},
          {"connections_per_s", rate},
          {"active", 1234567},
          {"bytes_in_per_s", 125000.0}};
}

json status(std::vector<json> backends) {
  json out = json::parse(R"({"version": "1.2.3", "uptime_s": 3720,
    "totals": {"connections_per_s": 872, "active": 17, "bits_in_per_s": 6.8e6,
               "bits_out_per_s": 568e6, "drops_per_s": 0},
    "workers": [{"lcore": 1, "busy_percent": 50}, {"lcore": 2, "busy_percent": 95}],
    "services": [{"name": "web", "vip": "10.3.0.1:80", "backends_up": 1}],
    "pools": [{"backend": "10.2.0.1:80", "fullest_percent": 96}],
    "drops": [{"name": "tx_full", "value": 7, "help": "the queue took no more"},
              {"name": "no_route", "value": 0, "help": "never"}],
    "severity": "ok", "findings": []})");
  out["backends"] = std::move(backends);
  return out;
}

std::vector<std::string> lines_of(TopScreen& screen, size_t width = 80, size_t height = 24) {
  std::vector<std::string> lines;
  for (const ScreenLine& line : screen.render(width, height)) {
    std::string& text = lines.emplace_back();
    for (const Span& span : line) text += span.text;
  }
  return lines;
}

std::string text_of(TopScreen& screen, size_t width = 80, size_t height = 24) {
  std::string all;
  for (const std::string& line : lines_of(screen, width, height)) all += line + "\n";
  return all;
}

bool before(const std::string& text, const char* first, const char* second) {
  const size_t a = text.find(first);
  const size_t b = text.find(second);
  return a != std::string::npos && b != std::string::npos && a < b;
}

bool has(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

class Top : public testing::Test {
 protected:
  Top() { screen.set_status(status({backend(1, 5), backend(2, 50), backend(3, 1, "critical")})); }
  TopScreen screen;
};

TEST_F(Top, FitsEveryScreen) {
  for (int i = 0; i < 300; ++i) screen.press(TopScreen::kDown);
  for (const char view : std::string("bspwd?")) {
    screen.press(view);
    for (const size_t width : {1, 20, 80, 81, 200}) {
      for (const size_t height : {1, 2, 5, 24, 60}) {
        const auto lines = lines_of(screen, width, height);
        EXPECT_EQ(lines.size(), height);
        if (width < 80) continue;  // a narrow terminal cuts
        for (const std::string& line : lines) EXPECT_LE(line.size(), width) << line;
      }
    }
  }
}

TEST_F(Top, SaysHowItIs) {
  const std::string text = text_of(screen);
  EXPECT_TRUE(has(text, "sluice 1.2.3  up 1h02m")) << text;
  EXPECT_TRUE(has(text, "all is well"));
  EXPECT_TRUE(has(text, "872 new/s  17 open  6.8Mb/s in  568.0Mb/s out"));
  EXPECT_TRUE(has(text, "lcore 1  [||||||||||          ]  50 %"));
  EXPECT_TRUE(has(text, "1.2M")) << text;
}

TEST_F(Top, WhatIsWrongComesFirst) {
  EXPECT_TRUE(before(text_of(screen), "10.2.0.3:80", "10.2.0.1:80"));
}

TEST_F(Top, SortsByAColumnAndTheOtherWay) {
  for (int i = 0; i < 4; ++i) screen.press(TopScreen::kRight);
  EXPECT_TRUE(has(text_of(screen), "NEW/Sv"));
  EXPECT_TRUE(before(text_of(screen), "10.2.0.2:80", "10.2.0.1:80"));
  screen.press('r');
  EXPECT_TRUE(before(text_of(screen), "10.2.0.3:80", "10.2.0.1:80"));
  EXPECT_TRUE(before(text_of(screen), "10.2.0.1:80", "10.2.0.2:80"));
}

TEST_F(Top, SaysWhoIsSlowAndWhatEndsWhen) {
  json now = status({backend(1, 5)});
  now["backends"][0].update({{"handshake_p50_ms", 0.75}, {"check_usual_ms", 1200}});
  now["pools"][0].update({{"ends_in_s", 130}, {"ends_soon", true}});
  screen.set_status(now);
  EXPECT_TRUE(has(text_of(screen), "SYN-ACK"));
  EXPECT_TRUE(has(text_of(screen), "0.75ms"));
  EXPECT_TRUE(has(text_of(screen, 120), "1.2s"));
  screen.press('p');
  EXPECT_TRUE(has(text_of(screen), "ENDS IN")) << text_of(screen);
  EXPECT_TRUE(has(text_of(screen), "2m10s"));
}

TEST_F(Top, Filters) {
  for (const char key : std::string("/0.2:")) screen.press(key);
  EXPECT_TRUE(has(text_of(screen), "filter: 0.2:_"));
  screen.press('\n');
  EXPECT_TRUE(has(text_of(screen), "10.2.0.2:80"));
  EXPECT_FALSE(has(text_of(screen), "10.2.0.1:80"));
  EXPECT_FALSE(screen.quit());
  screen.press(TopScreen::kEscape);
  EXPECT_TRUE(has(text_of(screen), "10.2.0.1:80"));
}

TEST_F(Top, AWiderScreenShowsMore) {
  EXPECT_FALSE(has(text_of(screen, 80), "REFUSED/S"));
  EXPECT_TRUE(has(text_of(screen, 120), "REFUSED/S"));
}

TEST_F(Top, LongAddressesGetRoomAndKeepTheirEnds) {
  std::vector<json> rows = {backend(1, 1), backend(2, 1)};
  rows[0]["address"] = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:65535";
  rows[1]["address"] = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:2]:65535";
  screen.set_status(status(rows));
  for (const size_t width : {80, 120, 200}) {
    for (const std::string& line : lines_of(screen, width)) EXPECT_LE(line.size(), width) << line;
    EXPECT_TRUE(has(text_of(screen, width), "eee:1]:65535")) << text_of(screen, width);
    EXPECT_TRUE(has(text_of(screen, width), "eee:2]:65535"));
  }
  EXPECT_TRUE(has(text_of(screen, 200), "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1]:65535"));
  EXPECT_TRUE(has(text_of(screen, 80), "SYN-ACK")) << "others keep the greater part";
}

TEST_F(Top, ScrollsToTheEndAndNotBeyond) {
  std::vector<json> many;
  for (int i = 0; i < 200; ++i) many.push_back(backend(i, 1));
  screen.set_status(status(many));
  for (int i = 0; i < 50; ++i) screen.press(TopScreen::kPageDown);
  EXPECT_TRUE(has(text_of(screen), "10.2.0.199:80"));
  screen.press(TopScreen::kPageUp);
  EXPECT_FALSE(has(text_of(screen), "10.2.0.199:80"));
}

TEST_F(Top, ShowsOtherTables) {
  screen.press('d');
  EXPECT_TRUE(has(text_of(screen), "tx_full"));
  EXPECT_FALSE(has(text_of(screen), "no_route"));  // nothing dropped
  screen.press('p');
  EXPECT_TRUE(has(text_of(screen), "96 %"));
}

TEST_F(Top, SilenceIsSaidAndTheFiguresStay) {
  screen.set_trouble("no answer");
  EXPECT_TRUE(has(text_of(screen), "no answer"));
  EXPECT_TRUE(has(text_of(screen), "10.2.0.1:80"));
}

TEST_F(Top, OfManyFindingsTheWorstAreShown) {
  json now = status({backend(1, 1)});
  for (int i = 0; i < 9; ++i) {
    now["findings"].push_back({{"severity", "critical"}, {"what", fmt::format("fault {}", i)}});
  }
  screen.set_status(now);
  const std::string text = text_of(screen);
  EXPECT_TRUE(has(text, "9 things are wrong"));
  EXPECT_TRUE(has(text, "! fault 2"));
  EXPECT_TRUE(has(text, "... and 6 more")) << text;
}

TEST_F(Top, QuitsPausesAndHelps) {
  screen.press(' ');
  EXPECT_TRUE(screen.paused());
  screen.press('?');
  EXPECT_TRUE(has(text_of(screen), "sort by another column"));
  screen.press('x');
  EXPECT_FALSE(has(text_of(screen), "sort by another column"));
  screen.press('q');
  EXPECT_TRUE(screen.quit());
}

}  // namespace
}  // namespace sluice::control
