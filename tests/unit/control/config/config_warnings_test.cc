// SPDX-License-Identifier: BSD-3-Clause
// What is odd in a configuration and may be meant.
#include <gtest/gtest.h>

#include <algorithm>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

bool warns_of_clients(const std::string& text) {
  const auto warnings = parse_config(text).warnings;
  return std::ranges::any_of(warnings, [](const std::string& line) {
    return line.find("no [[route]] leads to clients") != std::string::npos;
  });
}

// A route behind the backends brings no answer to a client.
TEST(Config, WarnsOfClientsThatNoRouteLeadsTo) {
  const std::string second =
      "\n[[interface]]\nname = \"b\"\ndevice = \"net_null1\"\naddresses = [\"10.9.0.1/24\"]\n";
  const auto with = [&](const std::string& via) {
    return Text{.route = second + "[[route]]\nto = \"0.0.0.0/0\"\nvia = \"" + via + "\""}.str();
  };
  EXPECT_TRUE(warns_of_clients(Text{}.str()));
  EXPECT_FALSE(warns_of_clients(with("10.9.0.9")));
  EXPECT_TRUE(warns_of_clients(with("10.1.0.9")));  // where the backends are
  const Text one_arm{.route = "[[route]]\nto = \"0.0.0.0/0\"\nvia = \"10.1.0.9\""};
  EXPECT_FALSE(warns_of_clients(one_arm.str()));
}

TEST(Config, WarnsOfIpv6ClientsThatNoRouteLeadsTo) {
  Text text{.interface = R"(addresses = ["10.1.255.254/16", "fd00:1::fe/64"])",
            .route = "[[route]]\nto = \"0.0.0.0/0\"\nvia = \"10.1.0.9\"\n",
            .service = "vip = \"[fd00:3::1]:80\""};
  const LoadedConfig without = parse_config(text.str());
  ASSERT_EQ(without.warnings.size(), 2u);  // with the one of the local address
  EXPECT_NE(without.warnings[1].find("clients of IPv6"), std::string::npos);
  EXPECT_NE(without.warnings[1].find("to = \"::/0\""), std::string::npos);
  text.route += "[[route]]\nto = \"::/0\"\nvia = \"fe80::1\"\ninterface = \"a\"\n";
  EXPECT_FALSE(warns_of_clients(text.str()));
}

TEST(Config, WarnsOfWhatIsOddButMayBeMeant) {
  Text text;
  text.top = "[control]\nmetrics_listen = \"127.0.0.1:9180\"\npage_listen = \"10.1.2.3:9181\"";
  text.pool = R"(addresses = ["10.77.0.1"])";
  text.backend = "address = \"10.1.0.10:80\"\nweight = 0";
  const LoadedConfig loaded = parse_config(text.str());
  EXPECT_TRUE(loaded.ok());
  ASSERT_EQ(loaded.warnings.size(), 4u);
  EXPECT_NE(loaded.warnings[0].find("10.77.0.1"), std::string::npos);
  EXPECT_NE(loaded.warnings[1].find("drains"), std::string::npos);
  EXPECT_NE(loaded.warnings[2].find("no [[route]] leads to clients"), std::string::npos);
  EXPECT_NE(loaded.warnings[3].find("page_listen 10.1.2.3:9181: whoever"), std::string::npos);
}

TEST(Config, ListensOnIpv6AndWarnsWhereOthersCanReachIt) {
  Text text;
  text.top = "[control]\nmetrics_listen = \"[::1]:9180\"\npage_listen = \"[::]:9181\"";
  const LoadedConfig loaded = parse_config(text.str());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(to_string(*loaded.config.control.metrics_listen), "[::1]:9180");
  EXPECT_NE(loaded.warnings.back().find("page_listen [::]:9181: whoever"), std::string::npos);
  EXPECT_NE(loaded.warnings.back().find("[::1] is for this machine"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
