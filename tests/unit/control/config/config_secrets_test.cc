// SPDX-License-Identifier: BSD-3-Clause
// What leaves with a support bundle: the configuration without what may be a password.
#include "control/config/config_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_text.h"
#include "control/config/config_load.h"

namespace sluice::control {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Secrets, WhatAHealthCheckKnowsIsLeftOut) {
  Text text;
  text.more = R"([service.health_check]
type = "command"
command = ["/usr/bin/check", "--password", "hunter2"]  # also hunter2
interval_ms = 2000
)";
  ASSERT_TRUE(parse_config(text.str()).ok());
  const std::string given = without_secrets(text.str());
  EXPECT_THAT(given, Not(HasSubstr("hunter2")));
  EXPECT_THAT(given, HasSubstr(kLeftOut));
  EXPECT_THAT(given, HasSubstr("interval_ms"));
  EXPECT_THAT(given, HasSubstr("10.3.0.1:80"));
}

TEST(Secrets, AFileWithoutAnyMeansTheSame) {
  const std::string text = Text().str();
  EXPECT_EQ(parse_config(without_secrets(text)).config, parse_config(text).config);
}

TEST(Secrets, NothingOfALineThatCannotBeRead) {
  Text text;
  text.more = "[service.health_check]\ntype = \"http\"\npath = \"/?key=hunter2\" oops\n";
  EXPECT_THAT(without_secrets(text.str()), Not(HasSubstr("hunter2")));
  EXPECT_THAT(without_secrets("\x01 hunter2 = = ["), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace sluice::control
