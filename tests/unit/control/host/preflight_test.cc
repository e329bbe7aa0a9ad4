// SPDX-License-Identifier: BSD-3-Clause
// The checks before DPDK starts: each failure is one line that says the remedy.
#include "control/host/preflight.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "control/common/unique_fd.h"
#include "control/config/address_text.h"
#include "control/config/socket_address.h"
#include "control/daemon/export/metrics.h"

namespace sluice::control {
namespace {

// What the check throws, or "" when it throws nothing.
template <class Check>
std::string refusal(Check check) {
  try {
    check();
    return "";
  } catch (const StartError& error) {
    return error.what();
  }
}

bool mentions(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST(Preflight, FindsTheKernelInterface) {
  EXPECT_EQ(kernel_interface_of("net_af_packet0,iface=lb-client"), "lb-client");
  EXPECT_EQ(kernel_interface_of("net_af_packet0,iface=lb0,qpairs=1"), "lb0");
  EXPECT_EQ(kernel_interface_of("0000:3b:00.0"), std::nullopt);
}

TEST(Preflight, GivesEalTheDevicesOfABusAndNoOther) {
  Config config;
  config.interfaces = {{"a", "net_af_packet0,iface=fe:ed", {}}};
  EXPECT_TRUE(bus_devices_of(config).empty());
  config.interfaces.push_back({"b", "3B:00.0,speed=40000", {}});
  config.interfaces.push_back({"c", "7ed1a5e0-7c2d-4a3a-9f3b-0123456789ab", {}});
  EXPECT_EQ(bus_devices_of(config),
            (std::vector<std::string>{"0000:3b:00.0,speed=40000",
                                      "7ed1a5e0-7c2d-4a3a-9f3b-0123456789ab"}));
}

TEST(Preflight, ACheckNamesAPciDeviceThatIsNotThere) {
  char pattern[] = "/tmp/sluice-sys-XXXXXX";
  const std::string sys = mkdtemp(pattern);
  std::filesystem::create_directories(sys + "/bus/pci/devices/0000:3b:00.0");
  Config config;
  config.interfaces = {{"a", "3b:00.0,arg=1", {}}, {"b", "0000:3b:00.1", {}}};
  const auto lines = lacking_here(config, sys);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(mentions(lines[0], "interface b: there is no PCI device 0000:3b:00.1")) << lines[0];
  std::filesystem::remove_all(sys);
}

TEST(Preflight, AnAddressThatTheKernelHasTooIsNamed) {
  Config config;
  config.interfaces = {{"client", "net_null0", {*parse_prefix("10.1.255.254/16")}, "sluice0"}};
  config.local_pools = {{"default", {*parse_ip("10.2.0.1")}}};
  config.services = {{.name = "web", .vip = *parse_endpoint("10.3.0.1:80")}};
  const auto of = [&](const char* interface, const char* ip) {
    return owned_twice(config, {{interface, *parse_ip(ip)}});
  };
  EXPECT_EQ(of("eth1", "10.1.255.253"), std::vector<std::string>{});
  EXPECT_EQ(of("sluice0", "10.1.255.254"), std::vector<std::string>{});  // our own tap
  ASSERT_EQ(of("eth1", "10.1.255.254").size(), 1u);
  EXPECT_TRUE(
      mentions(of("eth1", "10.1.255.254")[0], "10.1.255.254: the kernel has it too, on eth1"));
  EXPECT_TRUE(mentions(of("eth1", "10.2.0.1")[0], "local_pool default"));
  EXPECT_TRUE(mentions(of("eth1", "10.3.0.1")[0], "service web: vip"));
  bool loopback = false;
  for (const KernelAddress& one : kernel_addresses()) {
    loopback = loopback || one.ip == *parse_ip("127.0.0.1");
  }
  EXPECT_TRUE(loopback);
}

TEST(Preflight, SharedMemoryTakesAHugetlbfsThatMayBeWritten) {
  char pattern[] = "/tmp/sluice-mounts-XXXXXX";
  const std::string root = mkdtemp(pattern);
  std::filesystem::create_directories(root + "/ours");
  std::ofstream(root + "/mounts") << "hugetlbfs " << root << "/none hugetlbfs rw 0 0\n"
                                  << "tmpfs " << root << " tmpfs rw 0 0\n"
                                  << "hugetlbfs " << root << "/ours hugetlbfs rw 0 0\n";
  EXPECT_EQ(writable_hugetlbfs(root + "/mounts"), root + "/ours");
  EXPECT_EQ(writable_hugetlbfs(root + "/nothing"), "");
  std::filesystem::remove_all(root);
}

TEST(Preflight, AMissingInterfaceIsNamed) {
  Config config;
  config.interfaces = {{"client", "net_af_packet0,iface=no-such-if", {}}};
  const Say nothing = [](const std::string&) {};
  const std::string line = refusal([&] { check_interfaces(config, nothing); });
  EXPECT_TRUE(mentions(line, "interface client")) << line;
  EXPECT_TRUE(mentions(line, "\"no-such-if\"")) << line;
  config.interfaces = {{"client", "net_null0", {}}};
  EXPECT_EQ(refusal([&] { check_interfaces(config, nothing); }), "");
}

TEST(Preflight, WaitsForADeviceAsLongAsItIsTold) {
  using Clock = std::chrono::steady_clock;
  for (const char* device : {"net_af_packet0,iface=no-such-if", "ffff:ff:1f.7", "net_null0"}) {
    Config config;
    config.interfaces = {{"client", device, {}}};
    config.eal.interface_wait = std::chrono::seconds(1);
    std::vector<std::string> said;
    const auto begin = Clock::now();
    await_devices(config, [&](const std::string& line) { said.push_back(line); });
    const bool waited = Clock::now() - begin >= std::chrono::seconds(1);
    EXPECT_EQ(waited, device != std::string("net_null0")) << device;
    EXPECT_EQ(said.size(), waited ? 1u : 0u);
    if (waited) {
      EXPECT_TRUE(mentions(said.front(), "waiting up to 1 s")) << said.front();
    }
  }
}

TEST(Preflight, AnLcoreThatIsNotThereIsNamed) {
  EalConfig eal;
  eal.worker_lcores = {127};
  EXPECT_TRUE(mentions(refusal([&] { check_lcores(eal); }), "eal.worker_lcores"))
      << "127 CPUs here?";
}

TEST(Preflight, HugepagesAreCounted) {
  char pattern[] = "/tmp/sluice-huge-XXXXXX";
  const std::string root = mkdtemp(pattern);
  EXPECT_EQ(free_hugepages(root).free_mb, 0u);
  EXPECT_EQ(free_hugepages(root + "/none").page_kb, 0u);
  for (auto [name, free] : {std::pair("hugepages-2048kB", 300), {"hugepages-1048576kB", 0}}) {
    std::filesystem::create_directories(root + "/" + name);
    std::ofstream(root + "/" + name + "/free_hugepages") << free << "\n";
  }
  const Hugepages found = free_hugepages(root);
  EXPECT_EQ(found.free_mb, 600u);
  EXPECT_EQ(found.page_kb, 2048u);
  std::filesystem::remove_all(root);
}

TEST(Preflight, RunsWithoutHugepagesAndSaysHowToGetThem) {
  EalConfig eal;
  std::string advice;
  EXPECT_TRUE(use_hugepages(eal, {600, 2048}, advice));
  EXPECT_EQ(advice, "");
  EXPECT_FALSE(use_hugepages(eal, {100, 2048}, advice));
  EXPECT_TRUE(mentions(advice, "sysctl -w vm.nr_hugepages=256")) << advice;
  eal.hugepages = false;
  advice.clear();
  EXPECT_FALSE(use_hugepages(eal, {600, 2048}, advice));
  EXPECT_EQ(advice, "");
}

TEST(Preflight, AMetricsPortInUseIsNamed) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd.get(), 1), 0);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  ControlConfig control;
  EXPECT_EQ(refusal([&] { check_listen_ports(control); }), "");
  control.metrics_listen =
      net::Ipv4Endpoint{{address.sin_addr.s_addr}, net::be16{address.sin_port}};
  const std::string line = refusal([&] { check_listen_ports(control); });
  EXPECT_TRUE(mentions(line, "control.metrics_listen 127.0.0.1:")) << line;
  EXPECT_TRUE(mentions(line, "ss -ltnp")) << line;
  control.metrics_listen = parse_endpoint("192.0.2.1:9180");
  EXPECT_TRUE(mentions(refusal([&] { check_listen_ports(control); }), "address of this machine"));
}

TEST(Preflight, AnIpv6PortInUseIsNamed) {
  const UniqueFd fd(socket(AF_INET6, SOCK_STREAM, 0));
  const SocketAddress loopback(*parse_endpoint("[::1]:1"));
  sockaddr_in6 address{};
  std::memcpy(&address, loopback.get(), sizeof address);
  address.sin6_port = 0;
  socklen_t size = sizeof address;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    GTEST_SKIP() << "no IPv6 on this machine";
  }
  ASSERT_EQ(listen(fd.get(), 1), 0);
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  const net::be16 port{address.sin6_port};
  ControlConfig control;
  control.metrics_listen = IpEndpoint{*parse_ip("::1"), port};
  const std::string line = refusal([&] { check_listen_ports(control); });
  EXPECT_TRUE(mentions(line, fmt::format("control.metrics_listen [::1]:{}: ", port.host())))
      << line;
  EXPECT_TRUE(mentions(line, "ss -ltnp")) << line;
  control.metrics_listen = IpEndpoint{*parse_ip("0.0.0.0"), port};
  EXPECT_EQ(refusal([&] { check_listen_ports(control); }), "");
  control.metrics_listen = parse_endpoint("[2001:db8::1]:9180");
  EXPECT_TRUE(mentions(refusal([&] { check_listen_ports(control); }), "address of this machine"));
}

TEST(Preflight, WhoForwardsIsNamedByFamily) {
  const std::string proc = testing::TempDir() + "proc-net";
  const auto set = [&](const char* family, int value) {
    const std::string directory = fmt::format("{}/{}/conf/eth7", proc, family);
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/forwarding") << value << "\n";
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(kernel_forwards("eth7", proc + ".none"), Keys());
  set("ipv4", 0);
  set("ipv6", 1);
  EXPECT_EQ(kernel_forwards("eth7", proc), Keys({"net.ipv6.conf.eth7.forwarding"}));
  set("ipv4", 1);
  EXPECT_EQ(kernel_forwards("eth7", proc),
            Keys({"net.ipv4.conf.eth7.forwarding", "net.ipv6.conf.eth7.forwarding"}));
}

TEST(Metrics, SamplesOfOneNameAreOneFamily) {
  MetricSamples samples;
  samples.add(prometheus::MetricType::Counter, "sluice_a_total", "a", {{"x", "1"}}, 1);
  samples.add(prometheus::MetricType::Counter, "sluice_a_total", "a", {{"x", "2"}}, 2);
  samples.add(prometheus::MetricType::Gauge, "sluice_b", "b", {}, 3);
  const auto families = samples.take();
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].metric.size(), 2u);
  EXPECT_EQ(families[0].metric[1].counter.value, 2);
  EXPECT_EQ(families[1].metric[0].gauge.value, 3);
}

}  // namespace
}  // namespace sluice::control
