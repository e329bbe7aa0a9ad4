// SPDX-License-Identifier: BSD-3-Clause
// NICs on the PCI bus, and kernel interfaces behind AF_PACKET.
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "control/common/text.h"
#include "control/common/unique_fd.h"
#include "control/config/device_text.h"
#include "control/host/device_needs.h"
#include "control/host/doctor_host.h"
#include "control/host/preflight.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

// Whether anything stands between the card's DMA and the machine's memory.
void examine_iommu(const std::string& address, const std::string& driver, const fs::path& device,
                   const fs::path& sys, std::vector<Diagnosis>& found) {
  const bool has_iommu = fs::exists(device / "iommu_group");
  const auto say = [&](Severity severity, std::string what, const char* remedy) {
    found.push_back({"iommu", severity, address + ": " + what, remedy});
  };
  constexpr const char* kSwitchOn =
      "switch VT-d or AMD-Vi on in the firmware, and on the kernel's command line: "
      "intel_iommu=on iommu=pt (AMD: iommu=pt); a virtual machine that is given none has uio: "
      "docs/hardware.md";
  if (driver != "vfio-pci") {
    if (!has_iommu) {
      return say(Severity::kOk, "on " + driver + ", and this machine has no IOMMU for it", "");
    }
    return say(Severity::kWarning,
               "on " + driver +
                   ", which the IOMMU does not guard; without iommu=pt the card "
                   "reaches no memory at all",
               "sluice-bind-nic --undo --yes, then --yes: vfio-pci");
  }
  if (has_iommu) return say(Severity::kOk, "its memory is guarded by the IOMMU", "");
  if (first_line(sys / "module/vfio/parameters/enable_unsafe_noiommu_mode").starts_with('Y')) {
    return say(Severity::kWarning, "no IOMMU, vfio runs in its unsafe mode", kSwitchOn);
  }
  say(Severity::kCritical, "no IOMMU; vfio-pci refuses the device", kSwitchOn);
}

bool is_for_dpdk(const std::string& driver) {
  return driver == "vfio-pci" || driver == "igb_uio" || driver == "uio_pci_generic";
}

// How it comes to a driver of DPDK; `device` has an IOMMU or not.
std::string binding(const std::string& address, const fs::path& device) {
  return fmt::format("sluice-bind-nic {}--yes {}",
                     fs::exists(device / "iommu_group") ? "" : "--uio ", address);
}

void examine_pci(const Config& config, const std::string& address, const fs::path& sys,
                 std::vector<Diagnosis>& found) {
  const fs::path device = sys / "bus/pci/devices" / address;
  if (!fs::exists(device)) {
    found.push_back(
        {"nic", Severity::kCritical, address + ": no such PCI device", "lspci -D | grep -i eth"});
    return;
  }
  std::error_code error;
  const std::string driver = fs::read_symlink(device / "driver", error).filename();
  if (is_for_dpdk(driver) || driver.starts_with("mlx") || driver == "mana") {
    found.push_back({"nic", Severity::kOk, fmt::format("{}: driver {}", address, driver), ""});
  } else {
    found.push_back({"nic", Severity::kCritical,
                     fmt::format("{}: driver {}, which DPDK cannot use", address,
                                 driver.empty() ? "none" : driver),
                     binding(address, device)});
  }
  if (is_for_dpdk(driver)) examine_iommu(address, driver, device, sys, found);
  for (Diagnosis& need : examine_needs(address, device, sys)) found.push_back(std::move(need));
  const int node = std::atoi(first_line(device / "numa_node").c_str());
  for (const uint32_t lcore : config.eal.worker_lcores) {
    const uint32_t own = node_of_cpu(lcore, sys);
    if (node < 0 || own == static_cast<uint32_t>(node)) continue;
    found.push_back(
        {"numa", Severity::kWarning,
         fmt::format("{} is on NUMA node {}, worker CPU {} on node {}", address, node, lcore, own),
         fmt::format("choose worker_lcores of node {}: lscpu -e", node)});
  }
}

// ---- kernel interfaces --------------------------------------------------------------------------

// The answer of ETHTOOL_G*; nothing where the driver has none.
std::optional<uint32_t> offload_state(int fd, const std::string& name, uint32_t command) {
  ethtool_value value{command, 0};
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(fd, SIOCETHTOOL, &request) != 0) return std::nullopt;
  return value.data;
}

std::string driver_of(int fd, const std::string& name) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&info);
  return ioctl(fd, SIOCETHTOOL, &request) == 0 ? info.driver : "";
}

// Up and with a carrier. Not asked of /sys: that may show another network namespace.
bool is_running(int fd, const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

struct Offload {
  uint32_t command;
  const char* name;  // ethtool -K's word
};
// On the end that sends to us: what it leaves to a NIC, nobody does.
constexpr Offload kOfPeer[] = {
    {ETHTOOL_GTXCSUM, "tx"}, {ETHTOOL_GTSO, "tso"}, {ETHTOOL_GGSO, "gso"}};
// On our own end: what it glues together is larger than a frame.
constexpr Offload kOfOwn[] = {{ETHTOOL_GGRO, "gro"}};

template <size_t N>
void examine_offloads(int fd, const std::string& name, const Offload (&offloads)[N],
                      const char* what, std::vector<Diagnosis>& found) {
  std::vector<std::string> on;
  std::string off;
  for (const Offload& offload : offloads) {
    if (offload_state(fd, name, offload.command).value_or(0) == 0) continue;
    on.emplace_back(offload.name);
    off += fmt::format(" {} off", offload.name);
  }
  if (on.empty()) return;
  found.push_back({"offloads", Severity::kCritical,
                   fmt::format("{}: {} on: {}", name, join(on, ", "), what),
                   fmt::format("ethtool -K {}{}", name, off)});
}

// The other end of a veth: its name where it is in this network namespace.
std::string peer_of(int fd, const std::string& name) {
  const fs::path net = "/sys/class/net";
  const std::string index = first_line(net / name / "iflink");
  char peer[IFNAMSIZ];
  if (index.empty() || if_indextoname(static_cast<unsigned>(std::stoul(index)), peer) == nullptr) {
    return "";
  }
  // Numbers of another namespace may be ours for something else.
  const bool mutual = first_line(net / peer / "iflink") == first_line(net / name / "ifindex");
  return mutual && peer != name && driver_of(fd, peer) == "veth" ? peer : "";
}

void examine_interface(int fd, const std::string& name, std::vector<Diagnosis>& found) {
  const size_t before = found.size();
  if (if_nametoindex(name.c_str()) == 0) {
    found.push_back({"nic", Severity::kCritical,
                     fmt::format("there is no interface \"{}\" here", name),
                     "ip link; mend iface= in its device, or ask in sluice's network namespace"});
    return;
  }
  if (!is_running(fd, name)) {
    found.push_back(
        {"nic", Severity::kCritical, name + ": down, or no link", "ip link set " + name + " up"});
  }
  examine_offloads(fd, name, kOfOwn, "joined segments are larger than a frame (frame_segmented)",
                   found);
  std::string peer;
  if (driver_of(fd, name) == "veth") {
    peer = peer_of(fd, name);
    if (!peer.empty()) {
      examine_offloads(fd, peer, kOfPeer,
                       "what it sends here has no checksum yet (tcp_checksum_bad)", found);
    }
  }
  if (found.size() > before) return;
  const bool elsewhere = driver_of(fd, name) == "veth" && peer.empty();
  found.push_back(
      {"offloads", Severity::kOk,
       name + (elsewhere ? ": fit; its other end is in another namespace, where it needs "
                           "ethtool -K IFACE tx off tso off gso off"
                         : ": fit"),
       ""});
}

}  // namespace

std::vector<Diagnosis> examine_pci_devices(const Config& config, const fs::path& sys) {
  std::vector<Diagnosis> found;
  for (const std::string& carrier : carriers_of(config)) {
    const std::string address = pci_address_of(carrier);
    if (!address.empty()) examine_pci(config, address, sys, found);
  }
  return found;
}

std::vector<Diagnosis> examine_kernel_interfaces(const Config& config) {
  std::vector<Diagnosis> found;
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const std::string& carrier : carriers_of(config)) {
    if (const auto name = kernel_interface_of(carrier)) examine_interface(fd.get(), *name, found);
  }
  return found;
}

}  // namespace sluice::control
