// SPDX-License-Identifier: BSD-3-Clause
// What nftables is told to drop.
#include "control/daemon/kernel/ingress_drop.h"

#include <gtest/gtest.h>

#include "control/config/address_text.h"

namespace sluice::control {
namespace {

std::vector<IpAddress> addresses(const std::vector<const char*>& texts) {
  std::vector<IpAddress> made;
  for (const char* text : texts) made.push_back(*parse_ip(text));
  return made;
}

std::string chain(const std::vector<const char*>& link, const std::vector<const char*>& own,
                  const std::vector<const char*>& kernels) {
  const auto of_kernel = addresses(kernels);
  return IngressDrop::chain_of(3, {"eth1", addresses(link)}, addresses(own),
                               {of_kernel.begin(), of_kernel.end()});
}

TEST(IngressDrop, ASetForEachFamily) {
  EXPECT_EQ(chain({"fd00:1::fe", "10.1.255.254"}, {"10.3.0.1", "fd00:3::1"}, {}),
            " set to3_ip {\n  type ipv4_addr\n  elements = { 10.1.255.254, 10.3.0.1 }\n }\n"
            " set to3_ip6 {\n  type ipv6_addr\n  elements = { fd00:1::fe, fd00:3::1 }\n }\n"
            " chain from3 {\n  type filter hook ingress device \"eth1\" priority -500\n"
            "  ip daddr @to3_ip drop\n  ip6 daddr @to3_ip6 drop\n }\n");
}

TEST(IngressDrop, OfOneFamilyThereIsNothingOfTheOther) {
  EXPECT_EQ(chain({}, {"10.3.0.1"}, {}).find("ip6"), std::string::npos);
  EXPECT_EQ(chain({}, {"fd00:3::1"}, {}).find("ipv4"), std::string::npos);
}

// An address that the kernel has on the link too stays the kernel's; VIPs and locals do not.
TEST(IngressDrop, TheKernelKeepsItsOwn) {
  const std::string rules =
      chain({"fe80::1", "fd00:1::fe"}, {"fd00:3::1"}, {"fe80::1", "fd00:3::1"});
  EXPECT_EQ(rules.find("fe80::1"), std::string::npos);
  EXPECT_NE(rules.find("{ fd00:1::fe, fd00:3::1 }"), std::string::npos) << rules;
}

}  // namespace
}  // namespace sluice::control
