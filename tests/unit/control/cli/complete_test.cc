// SPDX-License-Identifier: BSD-3-Clause
// What the shell offers at each place of a command line.
#include "control/cli/complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Complete : public testing::Test {
 protected:
  Complete() {
    app_.fallthrough();
    app_.add_option("--socket", text_);
    app_.add_flag("--json", flag_);
    CLI::App* show = app_.add_subcommand("show", "");
    show->add_option("what", text_)->check(CLI::IsMember({"services", "backends", "flows"}));
    show->add_option("--limit", text_);
    show->add_option("--order", text_)->check(CLI::IsMember({"age", "bytes"}));
    CLI::App* backend = app_.add_subcommand("backend", "");
    CLI::App* set = backend->add_subcommand("set", "");
    set->add_option("service", text_);
    set->add_option("backend", text_);
    set->add_flag("--drain", flag_);
  }

  std::vector<std::string> at(const std::vector<std::string>& words) {
    return complete(app_, words, [](const std::string& name) {
      if (name == "service") return std::vector<std::string>{"web", "mail"};
      if (name == "backend") return std::vector<std::string>{"10.2.0.10:80", "10.2.0.11:80"};
      return std::vector<std::string>{};
    });
  }

  CLI::App app_{"", "ctl"};
  std::string text_;
  bool flag_ = false;
};

TEST_F(Complete, Commands) {
  EXPECT_THAT(at({}), ElementsAre("backend", "show"));
  EXPECT_THAT(at({""}), ElementsAre("backend", "show"));
  EXPECT_THAT(at({"s"}), ElementsAre("show"));
  EXPECT_THAT(at({"backend", ""}), ElementsAre("set"));
  EXPECT_THAT(at({"nonsense", ""}), ElementsAre("backend", "show"));
}

TEST_F(Complete, ChoicesOfPositionals) {
  EXPECT_THAT(at({"show", ""}), ElementsAre("backends", "flows", "services"));
  EXPECT_THAT(at({"show", "f"}), ElementsAre("flows"));
  EXPECT_THAT(at({"--json", "show", "--limit", "5", "b"}), ElementsAre("backends"));
}

TEST_F(Complete, OptionsOfTheCommandAndAbove) {
  EXPECT_THAT(at({"show", "--"}),
              ElementsAre("--help", "--json", "--limit", "--order", "--socket"));
  EXPECT_THAT(at({"backend", "set", "--d"}), ElementsAre("--drain"));
  EXPECT_THAT(at({"show", "flows", ""}),
              ElementsAre("--help", "--json", "--limit", "--order", "--socket"));
}

TEST_F(Complete, ValuesOfOptions) {
  EXPECT_THAT(at({"show", "--order", ""}), ElementsAre("age", "bytes"));
  EXPECT_THAT(at({"show", "--limit", ""}), IsEmpty());
  EXPECT_THAT(at({"--socket", ""}), IsEmpty()) << "the shell's files will do";
}

TEST_F(Complete, WhatOnlyTheRunningOneKnows) {
  EXPECT_THAT(at({"backend", "set", ""}), ElementsAre("mail", "web"));
  EXPECT_THAT(at({"backend", "set", "web", "10.2.0.1"}),
              ElementsAre("10.2.0.10:80", "10.2.0.11:80"));
}

}  // namespace
}  // namespace sluice::control
