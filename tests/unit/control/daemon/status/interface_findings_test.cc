// SPDX-License-Identifier: BSD-3-Clause
// What is said of interfaces by their devices' counters, and of packets that reach wrong workers.
#include "control/daemon/status/interface_findings.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

LinkRow well() {
  LinkRow link;
  link.name = "client";
  link.link_up = true;
  link.mtu = 1500;
  link.multicast = "all";
  link.received.recent = 1000;
  return link;
}

std::string worst(const LinkRow& link) {
  const auto found = interface_findings(link);
  if (found.empty()) return "";
  return std::string(to_string(found[0].severity)) + ": " + found[0].what + " / " + found[0].remedy;
}

bool names(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

TEST(InterfaceFindings, NothingIsSaidOfOneThatIsWell) {
  EXPECT_EQ(worst(well()), "");
}

TEST(InterfaceFindings, FramesThatNobodyFetched) {
  LinkRow link = well();
  link.missed.recent = 50;
  EXPECT_TRUE(names(worst(link),
                    "warning: interface client: 50 frames came in and were not fetched "
                    "in time lately (5 %)"))
      << worst(link);
  EXPECT_TRUE(names(worst(link), "eal.worker_lcores"));
  link.missed.recent = 500;
  EXPECT_TRUE(names(worst(link), "critical:"));
  link.missed.recent = 15;
  EXPECT_EQ(worst(link), "") << "a burst that was missed while something started";
  link.missed.recent = 50;
  link.received.recent = 1'000'000;
  EXPECT_EQ(worst(link), "");
}

// A larger MTU at the other end: nothing else shows that.
TEST(InterfaceFindings, FramesThatAreTooLarge) {
  LinkRow link = well();
  link.rx_errors.recent = 200;
  EXPECT_TRUE(names(worst(link), "200 frames came in broken, or too large lately (17 %)"));
  EXPECT_TRUE(names(worst(link), "larger than its MTU of 1500: `mtu` in [[interface]]"));
}

TEST(InterfaceFindings, FramesWithoutABuffer) {
  LinkRow link = well();
  link.no_buffer.recent = 20;
  EXPECT_TRUE(names(worst(link), "found no packet buffer"));
}

TEST(InterfaceFindings, ADeviceThatTakesNoMulticast) {
  LinkRow link = well();
  link.multicast = "none: Operation not supported";
  EXPECT_EQ(worst(link), "") << "nobody there wants any";
  link.multicast_lacking = "OSPF, VRRP and LLDP for sluice0";
  EXPECT_TRUE(names(worst(link),
                    "warning: interface client: its device takes no multicast (none: "
                    "Operation not supported): OSPF, VRRP and LLDP for sluice0 do not"))
      << worst(link);
}

TEST(InterfaceFindings, TheWorstComesFirst) {
  LinkRow link = well();
  link.missed.recent = 50;
  link.rx_errors.recent = 900;
  EXPECT_TRUE(names(worst(link), "critical: interface client: 900 frames"));
  EXPECT_EQ(interface_findings(link).size(), 2u);
}

std::vector<WorkerRow> workers(const char* steering, uint64_t received, uint64_t handed_off) {
  std::vector<WorkerRow> two(2);
  for (WorkerRow& worker : two) {
    worker.steering = steering;
    worker.packets_in.recent = received / 2;
    worker.handed_off.recent = handed_off / 2;
  }
  return two;
}

// The trial on igb: 9 of 20,403. A key that the device did not take: about half.
TEST(SteeringFinding, ADeviceThatDoesNotSpreadAsItSays) {
  EXPECT_FALSE(steering_finding(workers("rss", 20403, 9)));
  EXPECT_FALSE(steering_finding(workers("rss", 90, 44))) << "too few to say";
  EXPECT_FALSE(steering_finding(workers("handoff", 20000, 10000))) << "as it should be";
  const auto found = steering_finding(workers("rss", 20000, 10000));
  ASSERT_TRUE(found);
  EXPECT_TRUE(names(found->what, "50 % of the packets had to be handed to another worker"));
  EXPECT_TRUE(names(found->remedy, "eal.steering = \"handoff\""));
}

}  // namespace
}  // namespace sluice::control
