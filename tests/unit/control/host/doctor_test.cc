// SPDX-License-Identifier: BSD-3-Clause
// What the doctor says of made-up hosts and made-up rates.
#include "control/daemon/status/live_findings.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "control/daemon/status/forecast.h"
#include "control/host/doctor_host.h"

namespace sluice::control {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// A /sys of our own.
class Host : public testing::Test {
 protected:
  Host() {
    char path[] = "/tmp/doctor-XXXXXX";
    root = mkdtemp(path);
    sys = root / "sys";
    write("devices/system/node/online", "0-1");
    write("devices/system/node/node0/cpulist", "0-3");
    write("devices/system/node/node1/cpulist", "4-7");
    write("devices/system/cpu/isolated", "1-3");
    write("devices/system/cpu/cpu1/topology/thread_siblings_list", "1");
    pages(1024);
    config.eal.memory_mb = 1024;
    config.eal.worker_lcores = {1};
  }
  ~Host() override { fs::remove_all(root); }

  void write(const std::string& file, const std::string& text) {
    fs::create_directories((sys / file).parent_path());
    std::ofstream(sys / file) << text << "\n";
  }
  void pages(int count) {
    write("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", std::to_string(count));
    write("kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3");
  }
  void device(const std::string& driver, bool iommu) {
    write("bus/pci/devices/0000:3b:00.0/numa_node", "0");
    fs::create_symlink("/drivers/" + driver, sys / "bus/pci/devices/0000:3b:00.0/driver");
    if (iommu) write("bus/pci/devices/0000:3b:00.0/iommu_group/type", "DMA");
    config.interfaces.push_back({.name = "wan", .device = "3b:00.0,rx_queue=1"});
  }
  std::string text(const std::vector<Diagnosis>& found) const {
    std::string all;
    for (const Diagnosis& item : found) {
      all += std::string(to_string(item.severity)) + " " + item.what + " / " + item.remedy + "\n";
    }
    return all;
  }

  fs::path root, sys;
  Config config;
};

bool has(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

TEST_F(Host, AGoodOneHasNothingToMend) {
  device("vfio-pci", true);
  const std::string all = text(examine_memory(config, sys)) + text(examine_cpus(config, sys)) +
                          text(examine_pci_devices(config, sys));
  EXPECT_FALSE(has(all, "warning")) << all;
  EXPECT_FALSE(has(all, "critical")) << all;
}

TEST_F(Host, TooFewHugepages) {
  pages(100);
  EXPECT_TRUE(has(text(examine_memory(config, sys)), "vm.nr_hugepages=512"));
  config.eal.hugepages = false;
  EXPECT_TRUE(has(text(examine_memory(config, sys)), "eal.hugepages = false"));
}

TEST_F(Host, NoPagesOnTheWorkersNode) {
  write("devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "0");
  EXPECT_TRUE(has(text(examine_memory(config, sys)), "critical workers run on NUMA node 0"));
}

TEST_F(Host, CpusThatAreNotGood) {
  config.eal.worker_lcores = {4, 9};
  write("devices/system/cpu/cpu4/cpufreq/scaling_governor", "powersave");
  write("devices/system/cpu/cpu4/topology/thread_siblings_list", "0,4");
  const std::string all = text(examine_cpus(config, sys));
  EXPECT_TRUE(has(all, "warning CPU 4 is not isolated"));
  EXPECT_TRUE(has(all, "governor \"powersave\""));
  EXPECT_TRUE(has(all, "critical there is no CPU 9")) << all;
  EXPECT_TRUE(has(all, "CPUs 4 and 0 are two threads of one core")) << all;
}

TEST_F(Host, ADeviceThatDpdkCannotUse) {
  device("ixgbe", true);
  EXPECT_TRUE(has(text(examine_pci_devices(config, sys)), "critical 0000:3b:00.0: driver ixgbe"));
}

TEST_F(Host, NamesTheCommandThatIsInstalled) {
  device("ixgbe", true);
  EXPECT_TRUE(has(text(examine_pci_devices(config, sys)), "sluice-bind-nic --yes 0000:3b:00.0"));
}

TEST_F(Host, AMachineWithoutAnIommuHasUio) {
  device("e1000e", false);
  EXPECT_TRUE(
      has(text(examine_pci_devices(config, sys)), "sluice-bind-nic --uio --yes 0000:3b:00.0"));
}

// It may be forwarding packets as we look.
TEST_F(Host, UioWithoutAnIommuIsNothingBad) {
  device("uio_pci_generic", false);
  const std::string all = text(examine_pci_devices(config, sys));
  EXPECT_FALSE(has(all, "critical")) << all;
  EXPECT_FALSE(has(all, "warning")) << all;
  EXPECT_FALSE(has(all, "guarded")) << all;
}

TEST_F(Host, UioIsNotGuardedByAnIommu) {
  device("uio_pci_generic", true);
  const std::string all = text(examine_pci_devices(config, sys));
  EXPECT_TRUE(has(all, "warning 0000:3b:00.0: on uio_pci_generic, which the IOMMU does not guard"))
      << all;
}

TEST_F(Host, AnE810NeedsItsPackage) {
  device("vfio-pci", true);
  write("bus/pci/devices/0000:3b:00.0/vendor", "0x8086");
  write("bus/pci/devices/0000:3b:00.0/device", "0x1593");
  EXPECT_TRUE(
      has(text(examine_pci_devices(config, sys)), "critical 0000:3b:00.0: an E800 without"));
  write("../lib/firmware/intel/ice/ddp/ice-1.3.30.0.pkg", "");
  EXPECT_FALSE(has(text(examine_pci_devices(config, sys)), "E800"));
}

TEST_F(Host, WhatACloudsCardCannotDoIsSaid) {
  device("vfio-pci", true);
  write("bus/pci/devices/0000:3b:00.0/vendor", "0x1d0f");
  write("bus/pci/devices/0000:3b:00.0/device", "0xec20");
  EXPECT_TRUE(has(text(examine_pci_devices(config, sys)), "ok 0000:3b:00.0: ENA takes no"));
}

TEST_F(Host, NoIommuAndTheOtherNode) {
  device("vfio-pci", false);
  config.eal.worker_lcores = {5};
  const std::string all = text(examine_pci_devices(config, sys));
  EXPECT_TRUE(has(all, "critical 0000:3b:00.0: no IOMMU"));
  EXPECT_TRUE(has(all, "is on NUMA node 0, worker CPU 5 on node 1")) << all;
  write("module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  EXPECT_TRUE(has(text(examine_pci_devices(config, sys)), "warning 0000:3b:00.0: no IOMMU"));
}

TEST_F(Host, ADeviceThatIsNotThere) {
  config.interfaces.push_back({.name = "wan", .device = "0000:ff:00.0"});
  EXPECT_TRUE(has(text(examine_pci_devices(config, sys)), "no such PCI device"));
}

TEST(CpuList, AsTheKernelWritesIt) {
  EXPECT_EQ(parse_cpu_list("0-2,7"), (std::set<uint32_t>{0, 1, 2, 7}));
  EXPECT_EQ(parse_cpu_list(""), std::set<uint32_t>{});
  EXPECT_EQ(parse_cpu_list("nonsense"), std::set<uint32_t>{});
}

std::string first(const std::vector<Diagnosis>& found) {
  return found.empty() ? "" : std::string(to_string(found[0].severity)) + " " + found[0].what;
}

TEST(Capacity, SaysWhatRunsOutWhen) {
  json status = {{"pools",
                  {{{"backend", "10.2.0.10:80"},
                    {"local_pool", "main"},
                    {"ports", 60000},
                    {"unavailable", 20000},
                    {"taken_recent", 20000}}}}};
  TimeWaitConfig rules;
  rules.reuse = ReusePolicy::kNever;
  // Clients close first: no port rests, and what is taken comes back.
  EXPECT_TRUE(
      has(first(examine_capacity(status_of(status), rules)), "ok ports and flow entries bear"));
  status["pools"][0].update({{"ends_in_s", 40}, {"ends_soon", true}});
  EXPECT_TRUE(
      has(first(examine_capacity(status_of(status), rules)),
          "critical towards 10.2.0.10:80: 2000 ports wanted a second, 60,000 ports bear 1000"));
  EXPECT_TRUE(has(first(examine_capacity(status_of(status), rules)), "they run out in 40.0s"));
  rules.reuse = ReusePolicy::kRebase;
  EXPECT_TRUE(examine_capacity(status_of(status), rules).empty());  // the findings have said it

  status["pools"][0].update(
      {{"unavailable", 100}, {"unavailable_trend", 10}, {"ends_in_s", 5990}, {"ends_soon", false}});
  EXPECT_EQ(first(examine_capacity(status_of(status), rules)),
            "ok towards 10.2.0.10:80: 100 of 60,000 ports are taken, 10.0 more a second: none is "
            "left in 1h39m");
  status["pools"][0]["ends_in_s"] = 100000;  // more than a day
  EXPECT_TRUE(has(first(examine_capacity(status_of(status), rules)), "bear the rate"));
  status["pools"][0]["fullest_percent"] = 97.0;
  EXPECT_TRUE(examine_capacity(status_of(status), rules).empty());
  status["workers"] = {{{"lcore", 1},
                        {"flows", 10},
                        {"flows_max", 100},
                        {"flows_open_trend", 1},
                        {"ends_in_s", 90}}};
  EXPECT_TRUE(has(examine_capacity(status_of(status), rules).back().what.c_str(), "full in 1m30s"));
}

TEST(Forecast, Ports) {
  PoolSumRow pool;
  pool.ports = 1000;
  pool.unavailable = {100, 0};
  EXPECT_FALSE(forecast_of_ports(pool));
  pool.unavailable.trend = -5;
  EXPECT_FALSE(forecast_of_ports(pool));
  pool.unavailable.trend = 5;
  EXPECT_EQ(forecast_of_ports(pool)->seconds, 180);
  EXPECT_FALSE(forecast_of_ports(pool)->soon);  // a load that begins
  pool.unavailable.value = 250;
  EXPECT_TRUE(forecast_of_ports(pool)->soon);
  pool.unavailable = {500, 0.2};
  EXPECT_EQ(forecast_of_ports(pool)->seconds, 2500);
  EXPECT_TRUE(forecast_of_ports(pool)->soon);
  pool.unavailable.value = 1000;
  EXPECT_EQ(forecast_of_ports(pool)->seconds, 0);
}

TEST(Forecast, FlowEntries) {
  WorkerRow worker;
  worker.flows_max = 100;
  worker.flows_open = {90, 1};
  EXPECT_EQ(forecast_of_flows(worker)->seconds, 10);
  worker.flows_open = {10};
  worker.flows = 90;
  EXPECT_FALSE(forecast_of_flows(worker));
}

TEST(Timestamps, ABackendThatRefusesThemIsNamed) {
  json status = {{"backends",
                  {{{"service", "web"},
                    {"address", "10.2.0.10:80"},
                    {"timestamps_kept", 10},
                    {"timestamps_refused", 0}}}}};
  EXPECT_TRUE(has(first(examine_timestamps(status_of(status))), "ok all 10 SYN-ACKs"));
  status["backends"][0]["timestamps_refused"] = 2;
  EXPECT_TRUE(has(first(examine_timestamps(status_of(status))),
                  "warning backend 10.2.0.10:80 of web: 2 of 12"));
}

TEST_F(Host, MtusThatDifferAreNamed) {
  config.interfaces = {{.name = "client", .device = "net_af_packet0,iface=eth1"},
                       {.name = "server", .device = "net_af_packet1,iface=eth2"}};
  config.services = {{.name = "web"}, {.name = "mail"}};
  EXPECT_TRUE(has(text(examine_mtus(config, {{1500, 1500}, {1500, 1500}})),
                  "ok the same everywhere: client 1500, server 1500"));
  const std::string differ = text(examine_mtus(config, {{1500, 1500}, {1400, 1400}}));
  EXPECT_TRUE(has(differ, "warning MTUs differ: client 1500, server 1400")) << differ;
  EXPECT_TRUE(has(differ, "(mss_clamp) / ip link set eth2 mtu 1500")) << differ;
  config.services[1].mss_clamp = false;
  EXPECT_TRUE(has(text(examine_mtus(config, {{1400, 1400}, {1500, 1500}})),
                  "mss_clamp = false, so it rests on that ICMP alone: mail"));
  EXPECT_TRUE(has(text(examine_mtus(config, {{1968, 9000}, {1968, 9000}})),
                  "warning interface client: its link has MTU 9000, Sluice carries 1968"));
}

TEST(LinkMtu, IsTheKernelsAsFarAsTheDriverHasRoom) {
  EXPECT_EQ(link_mtu_of({.device = "net_af_packet0,iface=lo"}, 1500), (LinkMtu{1968, 65536}));
  EXPECT_EQ(link_mtu_of({.device = "net_af_packet0,iface=lo,framesz=1024"}, 1500),
            (LinkMtu{944, 65536}));
  EXPECT_EQ(link_mtu_of({.device = "net_af_packet0,iface=lo,framesz=4096"}, 1500),
            (LinkMtu{2034, 65536}));
  EXPECT_EQ(link_mtu_of({.device = "net_af_packet0,iface=lo,framesz=x"}, 1500),
            (LinkMtu{52, 65536}));
  EXPECT_EQ(link_mtu_of({.device = "net_af_packet0,iface=none-such"}, 1500), (LinkMtu{1500, 1500}));
  EXPECT_EQ(link_mtu_of({.device = "0000:3b:00.0"}, 1500), (LinkMtu{1500, 1500}));
  EXPECT_FALSE(mtus_differ({}));
  EXPECT_FALSE(mtus_differ({{1500, 1500}, {1500, 1500}}));
  EXPECT_TRUE(mtus_differ({{1500, 1500}, {1400, 1400}}));
  EXPECT_TRUE(mtus_differ({{1968, 9000}, {1968, 9000}}));
}

}  // namespace
}  // namespace sluice::control
