// SPDX-License-Identifier: BSD-3-Clause
// The list of sluicectl's commands: what is made from it, and that the manual knows them all.
#include "control/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "control/cli/complete.h"

namespace sluice::control {
namespace {

using testing::HasSubstr;

class CommandList : public testing::Test {
 protected:
  CommandList() {
    app_.require_subcommand(1);
    app_.fallthrough();
    add_commands(app_, commands(), chosen_);
  }

  static std::string manual() {
    std::ifstream file(SLUICE_SOURCE_ROOT "/docs/man/sluicectl.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  CLI::App app_{"", "sluicectl"};
  RunCommand chosen_;
};

void expect_in_manual(const CLI::App& command, const std::string& name, const std::string& manual) {
  const auto subcommands = command.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* each : subcommands) {
    expect_in_manual(*each, name + " " + each->get_name(), manual);
  }
  if (!subcommands.empty()) return;
  EXPECT_THAT(manual, HasSubstr("\n`" + name + "`")) << "a command that the manual does not have";
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& word : option->get_lnames()) {
      EXPECT_THAT(manual, HasSubstr("`--" + word + "`")) << "an option of " << name;
    }
  }
}

TEST_F(CommandList, TheManualHasEachOfThemWithItsOptions) {
  const std::string text = manual();
  for (const CLI::App* each : app_.get_subcommands([](const CLI::App*) { return true; })) {
    expect_in_manual(*each, each->get_name(), text);
  }
}

TEST_F(CommandList, EachIsCompleted) {
  const auto offered =
      complete(app_, {""}, [](const std::string&) { return std::vector<std::string>{}; });
  std::vector<std::string> names;
  for (const Command& each : commands()) names.emplace_back(each.name);
  EXPECT_THAT(offered, testing::UnorderedElementsAreArray(names));
}

TEST_F(CommandList, TheOneThatIsParsedIsChosen) {
  app_.parse("backend set web 10.2.0.10:80");
  ASSERT_TRUE(chosen_);
  EXPECT_THROW(chosen_(Session{}), CLI::ValidationError) << "nothing was said to set";
}

TEST_F(CommandList, WhatCannotBeParsedChoosesNothing) {
  EXPECT_THROW(app_.parse("backend"), CLI::ParseError);
  EXPECT_THROW(app_.parse("drain --reset"), CLI::ParseError);
  EXPECT_FALSE(chosen_);
}

}  // namespace
}  // namespace sluice::control
