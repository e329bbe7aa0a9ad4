// SPDX-License-Identifier: BSD-3-Clause
// What is said of a link, and the kernel's answer about one that every host has.
#include "control/daemon/kernel/link_state.h"

#include <gtest/gtest.h>
#include <net/if.h>

namespace sluice::control {
namespace {

KernelLink link(bool enabled, bool carrier, bool running) {
  return {"eth1", true, enabled, carrier, running, 2};
}

TEST(LinkState, SaysWhyItIsDown) {
  EXPECT_TRUE(judge_link(link(true, true, true), "eth1").up);
  EXPECT_EQ(judge_link(link(false, false, false), "eth1").reason, "eth1 is switched off");
  EXPECT_EQ(judge_link(link(false, false, false), "eth1").remedy, "ip link set eth1 up");
  EXPECT_EQ(judge_link(link(true, false, false), "eth1").reason, "eth1 has no carrier");
  EXPECT_EQ(judge_link(link(true, true, false), "eth1").reason, "eth1 is dormant");
  EXPECT_EQ(judge_link(KernelLink(), "eth1").reason, "eth1 was deleted");
  EXPECT_FALSE(judge_link(KernelLink(), "eth1").up);
  EXPECT_EQ(judge_link(false).reason, "no link");
}

TEST(LinkState, AShortLossShowsInTheKernelsCount) {
  KernelLink flapped = link(true, true, true);
  flapped.carrier_changes += 2;
  EXPECT_FALSE(judge_link(link(true, true, true), "eth1") == judge_link(flapped, "eth1"));
}

TEST(LinkState, AsksTheKernel) {
  const KernelLink lo = read_link(if_nametoindex("lo"));
  EXPECT_TRUE(lo.exists);
  EXPECT_EQ(lo.name, "lo");
  EXPECT_FALSE(read_link(INT32_MAX).exists);
}

}  // namespace
}  // namespace sluice::control
