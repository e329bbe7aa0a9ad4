// SPDX-License-Identifier: BSD-3-Clause
// Keys of services, whatever their protocol.
#include <gtest/gtest.h>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

std::string text_of(const std::string& text) {
  return describe(parse_config(text).problems, "f");
}

TEST(ServiceKeys, AVipAnswersEchoUnlessToldNotTo) {
  EXPECT_TRUE(parse_config(Text{}.str()).config.services.at(0).icmp_echo);
  const auto with = [](const std::string& value) {
    return Text{.service = "vip = \"10.3.0.1:80\"\nicmp_echo = " + value}.str();
  };
  EXPECT_EQ(text_of(with("false")), "");
  EXPECT_FALSE(parse_config(with("false")).config.services.at(0).icmp_echo);
  EXPECT_NE(text_of(with("0")).find("icmp_echo: got 0"), std::string::npos) << text_of(with("0"));
}

}  // namespace
}  // namespace sluice::control
