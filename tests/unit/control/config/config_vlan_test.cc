// SPDX-License-Identifier: BSD-3-Clause
// Interfaces that share a device, and what they do with packets for others.
#include <gtest/gtest.h>

#include "control/config/config_load.h"
#include "tests/unit/control/config/config_text.h"

namespace sluice::control {
namespace {

std::string problems_with(const std::string& first, const std::string& second,
                          const std::string& device = "net_null0") {
  const Text text{.interface = "addresses = [\"10.1.255.254/16\"]\n" + first,
                  .route = "[[interface]]\nname = \"b\"\ndevice = \"" + device +
                           "\"\naddresses = [\"10.9.0.1/24\"]\n" + second};
  return describe(parse_config(text.str()).problems, "file");
}

TEST(ConfigVlan, TellsInterfacesOfADeviceApart) {
  EXPECT_EQ(problems_with("vlan = 100", "vlan = 200"), "");
  EXPECT_EQ(problems_with("", "vlan = 200"), "");
  EXPECT_EQ(problems_with("vlan = 100", "vlan = 100\nouter_vlan = 7"), "");
  EXPECT_NE(problems_with("", "").find("got \"net_null0\" a second time"), std::string::npos);
  EXPECT_NE(problems_with("vlan = 100", "vlan = 100").find("with vlan 100 a second time"),
            std::string::npos);
  const std::string twice = problems_with("vlan = 5\nouter_vlan = 7", "vlan = 5\nouter_vlan = 7");
  EXPECT_NE(twice.find("outer_vlan 7 and vlan 5 a second time"), std::string::npos) << twice;
}

TEST(ConfigVlan, WantsADeviceToBeTheSameToAll) {
  const std::string other = problems_with("vlan = 1", "vlan = 2", "net_null0,size=64");
  EXPECT_NE(other.find("expected \"net_null0\", as an interface before has it"), std::string::npos)
      << other;
}

TEST(ConfigVlan, HasRangesAndAnInnerTag) {
  EXPECT_NE(problems_with("vlan = 0", "vlan = 2").find("interface.vlan: got 0"), std::string::npos);
  EXPECT_NE(problems_with("vlan = 4095", "vlan = 2").find("got 4095"), std::string::npos);
  EXPECT_NE(problems_with("outer_vlan = 7", "vlan = 2").find("expected a vlan as well"),
            std::string::npos);
}

std::string problems_of_bond(const std::string& device, const std::string& members) {
  return problems_with("vlan = 1", "vlan = 2\n" + members, device);
}

TEST(ConfigBond, HasMembersAndNoOtherDeviceHas) {
  EXPECT_EQ(problems_of_bond("net_bonding0", "members = [\"3b:00.0\", \"3b:00.1\"]"), "");
  const std::string none = problems_of_bond("net_bonding0", "");
  EXPECT_NE(none.find("expected members as well"), std::string::npos) << none;
  const std::string others = problems_of_bond("net_null1", "members = [\"3b:00.0\"]");
  EXPECT_NE(others.find("expected no members: the device is no bond"), std::string::npos) << others;
  const std::string wrong = problems_of_bond("net_bonding0", "members = [\"eth0\"]");
  EXPECT_NE(wrong.find("interface.members: got \"eth0\""), std::string::npos) << wrong;
}

TEST(ConfigBond, HasItsMembersToItself) {
  const std::string twice =
      problems_of_bond("net_bonding0", "members = [\"3b:00.0\", \"0000:3b:00.0\"]");
  EXPECT_NE(twice.find("got \"0000:3b:00.0\", expected a device of its own"), std::string::npos)
      << twice;
  const std::string used = problems_of_bond("net_bonding0", "members = [\"net_null0\"]");
  EXPECT_NE(used.find("got \"net_null0\", expected a device of its own"), std::string::npos)
      << used;
}

TEST(ConfigUnmatched, TheKernelsNeedsAKernel) {
  EXPECT_EQ(problems_with("unmatched = \"forward\"", "vlan = 2\nunmatched = \"drop\""), "");
  EXPECT_EQ(problems_with("unmatched = \"kernel\"\nkernel = \"s0\"", "vlan = 2"), "");
  const std::string lacks = problems_with("unmatched = \"kernel\"", "vlan = 2");
  EXPECT_NE(lacks.find("interface.unmatched: got \"kernel\", expected a kernel as well"),
            std::string::npos)
      << lacks;
  EXPECT_NE(problems_with("unmatched = \"route\"", "vlan = 2").find("interface.unmatched"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::control
