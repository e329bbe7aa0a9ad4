// SPDX-License-Identifier: BSD-3-Clause
// Broken configurations of every kind: whatever the text, the answer is a list, in time.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "control/config/config_load.h"
#include "tests/unit/control/cpu_seconds.h"
#include "tests/unit/sanitized.h"

namespace sluice::control {
namespace {

// Sanitizers make reading TOML thirty times as slow; there scripts/fuzz looks for more.
constexpr int kRounds = sluice::test::kSanitized ? 4 : 100;

std::string example() {
  std::ostringstream out;
  out << std::ifstream(std::string(SLUICE_SOURCE_ROOT) + "/conf/example.toml").rdbuf();
  return out.str();
}

// Every line that a problem names is a line of the file, and every problem says something.
void expect_sane(const std::string& text) {
  const LoadedConfig loaded = parse_config(text);
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 2;
  for (const Problem& problem : loaded.problems) {
    EXPECT_LE(problem.line, lines) << text;
    EXPECT_FALSE(problem.got.empty());
    EXPECT_FALSE(problem.expected.empty());
  }
  const std::string described = describe(loaded.problems, "f");
  EXPECT_EQ(std::count(described.begin(), described.end(), '\n'),
            static_cast<long>(loaded.problems.size()))
      << described;
}

TEST(ConfigGarbage, AChangedByte) {
  const std::string good = example();
  std::mt19937 random(1);
  for (int i = 0; i < kRounds; ++i) {
    std::string bad = good;
    for (uint32_t n = random() % 4 + 1; n > 0; --n) {
      bad[random() % bad.size()] = static_cast<char>(random());
    }
    expect_sane(bad);
  }
}

TEST(ConfigGarbage, LinesMovedLostAndDoubled) {
  std::vector<std::string> lines;
  std::istringstream stream(example());
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  std::mt19937 random(2);
  for (int i = 0; i < kRounds; ++i) {
    std::vector<std::string> changed = lines;
    for (int n = 0; n < 3; ++n) {
      std::swap(changed[random() % changed.size()], changed[random() % changed.size()]);
      changed.insert(changed.begin() + random() % changed.size(), changed[random() % lines.size()]);
      changed.erase(changed.begin() + random() % changed.size());
    }
    std::string text;
    for (const std::string& line : changed) text += line;
    expect_sane(text);
  }
}

TEST(ConfigGarbage, CutAnywhere) {
  const std::string good = example();
  const size_t step = std::max<size_t>(1, good.size() / kRounds);
  for (size_t size = 0; size < good.size(); size += step) expect_sane(good.substr(0, size));
}

TEST(ConfigGarbage, RandomBytes) {
  std::mt19937 random(3);
  const std::string alphabet = "[]{}=\"'#,.\n\n\r\t -_0123456789abcxyz\\\x01\xff";
  for (int i = 0; i < kRounds; ++i) {
    std::string text(random() % 400, ' ');
    for (char& c : text) c = alphabet[random() % alphabet.size()];
    expect_sane(text);
  }
}

TEST(ConfigGarbage, WhatIsMeantToHurt) {
  expect_sane(std::string(1 << 19, '['));
  expect_sane("a = " + std::string(1 << 19, '['));
  expect_sane("a = " + std::string(1 << 19, '{'));
  expect_sane(std::string((16 << 20) + 1, '\n'));
  std::string not_text;
  for (int i = 0; i < 100'000; ++i) not_text += "a=\xff\n";
  expect_sane(not_text);
  expect_sane(std::string(3, '\0'));
  expect_sane("a" + std::string(1 << 16, 'x') + " = 1\n");
  expect_sane("[eal]\nargs = [\"" + std::string(1 << 16, 'y') + "\"]\n");
}

bool tells_of_parts(const std::string& text) {
  const LoadedConfig loaded = parse_config(text);
  return std::ranges::any_of(loaded.problems, [](const Problem& problem) {
    return problem.line >= 2 && problem.expected.find("parts") != std::string::npos;
  });
}

// Keys of a thousand parts, wherever TOML has keys: they are told of by their lines.
TEST(ConfigGarbage, LongKeysEndSoon) {
  const auto repeated = [](const std::string& what) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += what;
    return text;
  };
  const std::string bare = repeated("a.") + "a";
  const double begin = cpu_seconds();
  for (const std::string& key : {bare, repeated("\"b,\".") + "'c='", repeated("a . ") + "a"}) {
    for (const std::string& text :
         {"[eal]\n" + key + " = 1\n", "\n[" + key + "]\n", "\n[[" + key + "]]\n",
          "\nx = { " + key + " = 1 }\n", "\n" + key + "\n",
          "x = \"\"\"\n''' \"\"\"\ny = [1, { " + key + " = 1}]\n"}) {
      expect_sane(text);
      EXPECT_TRUE(tells_of_parts(text)) << text.substr(0, 60);
    }
  }
  EXPECT_LT(cpu_seconds() - begin, 10);
  // What only looks like one.
  EXPECT_FALSE(
      tells_of_parts("\n# " + bare + "\n[eal]\nargs = [\"" + bare + "\", '''\n" + bare + "''']\n"));
}

// So are lines of a length for which toml11 takes minutes.
TEST(ConfigGarbage, LongLinesEndSoon) {
  std::string ones = "x = [";
  for (int i = 0; i < 250'000; ++i) ones += "1,";
  const double begin = cpu_seconds();
  const LoadedConfig loaded = parse_config("\n" + ones + "]\n");
  EXPECT_LT(cpu_seconds() - begin, 5);
  EXPECT_TRUE(std::ranges::any_of(loaded.problems, [](const Problem& problem) {
    return problem.line == 2 && problem.expected == "lines of at most 16384 bytes";
  }));
}

TEST(ConfigGarbage, ThousandsOfMistakesEndSoon) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "x y\n";
  const double begin = cpu_seconds();
  expect_sane(text);
  EXPECT_LT(cpu_seconds() - begin, 10);
}

}  // namespace
}  // namespace sluice::control
