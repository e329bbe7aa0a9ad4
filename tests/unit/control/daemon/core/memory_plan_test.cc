// SPDX-License-Identifier: BSD-3-Clause
// What memory a configuration takes, and what is said when it does not fit.
#include "control/daemon/core/memory_plan.h"

#include <gtest/gtest.h>

#include <fstream>

#include "control/host/preflight.h"

namespace sluice::control {
namespace {

Config config(uint32_t workers) {
  Config made;
  made.interfaces.resize(2);
  made.local_pools.resize(1);
  made.local_pools[0].addresses.resize(2);
  made.services.resize(1);
  made.services[0].local_pool = made.local_pools[0].name;
  made.services[0].backends.resize(3);
  made.eal.worker_lcores.clear();
  for (uint32_t i = 0; i < workers; ++i) made.eal.worker_lcores.push_back(i);
  return made;
}

TEST(MemoryPlan, EachWorkerTakesItsOwnAndPortsAreShared) {
  Config of_one = config(1), of_four = config(4);
  // All workers share what fragments may take of each.
  of_one.limits.fragments_per_worker = of_four.limits.fragments_per_worker = 0;
  const MemoryPlan one = plan_memory(of_one), four = plan_memory(of_four);
  EXPECT_EQ(four.flow_tables, 4 * one.flow_tables);
  EXPECT_EQ(four.other_tables, 4 * one.other_tables);
  EXPECT_GT(four.packets, 4 * one.packets);
  EXPECT_NEAR(four.port_pools_max, one.port_pools_max, one.port_pools_max / 50.0);
  EXPECT_LE(one.flow_tables / config(1).limits.flows_per_worker, 168u) << "bytes a flow";
  EXPECT_GE(one.port_pools_max, 6u * 64512u * 20u);
}

TEST(MemoryPlan, ManyPoolsBeginSmallAndEndAtTheirLimit) {
  Config many = config(1);
  many.local_pools[0].addresses.resize(4);
  many.services[0].backends.resize(10'000);
  const MemoryPlan plan = plan_memory(many);
  EXPECT_LE(plan.port_pools, 400u << 20);
  EXPECT_GE(plan.port_pools_max, 1024u << 20);
  EXPECT_LE(plan.port_pools_max, 1200u << 20);
}

TEST(MemoryPlan, WhatDoesNotFitIsSaidWithTheWayOut) {
  Config large = config(2);
  check_memory(large, plan_memory(large));  // the defaults fit, for two workers too
  large.limits.flows_per_worker = 10'000'000;
  try {
    check_memory(large, plan_memory(large));
    FAIL() << "20 million flows in 512 MB";
  } catch (const StartError& error) {
    const std::string line = error.what();
    for (const char* part : {"eal.memory_mb", "512 MB", "2 workers", "flows_per_worker"}) {
      EXPECT_NE(line.find(part), std::string::npos) << line;
    }
  }
  large.eal.memory_mb = 4096;
  check_memory(large, plan_memory(large));
}

TEST(MemoryPlan, TheCompactIndexTakesLessAndIsNamed) {
  Config made = config(1);
  made.state.keep = false;  // flows are in DPDK's memory
  const MemoryPlan rte_hash = plan_memory(made);
  made.limits.flow_index = FlowIndexKind::kCompact;
  const MemoryPlan compact = plan_memory(made);
  EXPECT_LE(compact.flow_tables / made.limits.flows_per_worker, 136u) << "bytes a flow";
  EXPECT_GE(rte_hash.flow_tables, compact.flow_tables + (32u << 20));
  for (const bool is_compact : {false, true}) {
    made.limits.flow_index = is_compact ? FlowIndexKind::kCompact : FlowIndexKind::kRteHash;
    made.limits.flows_per_worker = 10'000'000;
    try {
      check_memory(made, plan_memory(made));
      FAIL() << "10 million flows in 512 MB";
    } catch (const StartError& error) {
      const bool offered = std::string(error.what()).find("\"compact\"") != std::string::npos;
      EXPECT_EQ(offered, !is_compact) << error.what();
    }
  }
}

TEST(MemoryPlan, Ipv6ClientsTakeMoreWhereTheyAre) {
  Config made = config(2);
  const MemoryPlan v4 = plan_memory(made);
  made.interfaces[0].addresses = {*parse_prefix("fd00:1::fe/64")};
  const MemoryPlan next_hops = plan_memory(made);
  EXPECT_EQ(next_hops.flow_tables, v4.flow_tables);
  EXPECT_EQ(next_hops.other_tables, v4.other_tables) << "both families have a table in any case";
  made.services[0].vip = *parse_endpoint("[fd00:3::1]:80");
  const MemoryPlan clients = plan_memory(made);
  // An IPv6 flow is not in the index of IPv4.
  const uint64_t flows = 2 * made.limits.flows_per_worker;
  const uint64_t more = (clients.flow_tables - v4.flow_tables) / flows;
  EXPECT_GE(more, 16u);
  EXPECT_LE(128 + more, 224u) << "bytes a flow";
}

TEST(MemoryPlan, DoubtsWhatTheMachineHasNot) {
  const std::string meminfo = testing::TempDir() + "meminfo";
  std::ofstream(meminfo) << "MemTotal:  900000 kB\nMemFree: 1 kB\nMemAvailable:   307200 kB\n";
  const Config two = config(2);
  const MemoryPlan plan = plan_memory(two);
  EXPECT_NE(doubt_about_memory(two, plan, false, meminfo).find("300 MB"), std::string::npos);
  EXPECT_EQ(doubt_about_memory(two, plan, true, meminfo), "");
  EXPECT_EQ(doubt_about_memory(two, plan, false, meminfo + ".none"), "");
}

}  // namespace
}  // namespace sluice::control
