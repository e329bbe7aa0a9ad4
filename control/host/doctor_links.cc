// SPDX-License-Identifier: BSD-3-Clause
// What goes wrong between interfaces: MTUs that differ, and a kernel that forwards, too.
#include <fmt/format.h>

#include "control/common/text.h"
#include "control/host/doctor_host.h"
#include "control/host/preflight.h"

namespace sluice::control {
namespace {

constexpr uint32_t kEthernetMtu = 1500;

// Services that were told to leave the MSS alone.
std::string unclamped(const Config& config) {
  std::vector<std::string> names;
  for (const ServiceConfig& service : config.services) {
    if (service.mss_clamp == false) names.push_back(service.name);
  }
  return join(names, ", ");
}

std::string set_mtu(const InterfaceConfig& interface, uint32_t mtu) {
  const auto name = kernel_interface_of(interface.device);
  return name ? fmt::format("ip link set {} mtu {}", *name, mtu) : "the same MTU on all links";
}

}  // namespace

std::vector<LinkMtu> ask_mtus(const Config& config) {
  std::vector<LinkMtu> mtus;
  for (const InterfaceConfig& interface : config.interfaces) {
    mtus.push_back(link_mtu_of(interface, interface.mtu.value_or(kEthernetMtu)));
  }
  return mtus;
}

std::vector<Diagnosis> examine_mtus(const Config& config, const std::vector<LinkMtu>& mtus) {
  std::vector<Diagnosis> found;
  std::vector<std::string> each;
  size_t largest = 0, smallest = 0;
  for (size_t i = 0; i < mtus.size(); ++i) {
    const InterfaceConfig& interface = config.interfaces[i];
    each.push_back(fmt::format("{} {}", interface.name, mtus[i].usable));
    if (mtus[i].usable > mtus[largest].usable) largest = i;
    if (mtus[i].usable < mtus[smallest].usable) smallest = i;
    if (mtus[i].link <= mtus[i].usable) continue;
    found.push_back({"mtu", Severity::kWarning,
                     fmt::format("interface {}: its link has MTU {}, Sluice carries {}: larger "
                                 "packets are lost (frame_truncated, frame_segmented)",
                                 interface.name, mtus[i].link, mtus[i].usable),
                     set_mtu(interface, std::min<uint32_t>(kEthernetMtu, mtus[i].usable))});
  }
  const std::string all = join(each, ", ");
  if (mtus.empty() || mtus[largest].usable == mtus[smallest].usable) {
    if (found.empty()) found.push_back({"mtu", Severity::kOk, "the same everywhere: " + all, ""});
    return found;
  }
  const std::string not_clamped = unclamped(config);
  found.push_back(
      {"mtu", Severity::kWarning,
       fmt::format("MTUs differ: {}: what is too large is answered with ICMP (mtu_exceeded); {}",
                   all,
                   not_clamped.empty()
                       ? "SYNs state a smaller MSS (mss_clamp)"
                       : "mss_clamp = false, so it rests on that ICMP alone: " + not_clamped),
       fmt::format("{}, or the smaller one on the other links",
                   set_mtu(config.interfaces[smallest], mtus[largest].usable))});
  return found;
}

std::vector<Diagnosis> examine_forwarding(const Config& config,
                                          const std::optional<std::string>& ingress_drop) {
  std::vector<Diagnosis> found;
  for (const std::string& device : carriers_of(config)) {
    const auto name = kernel_interface_of(device);
    if (!name || !device.starts_with("net_af_packet")) continue;
    const std::vector<std::string> keys = kernel_forwards(*name);
    if (keys.empty()) continue;
    std::string sysctl = "sysctl -w";
    for (const std::string& key : keys) sysctl += fmt::format(" {}=0", key);
    if (!ingress_drop) {
      found.push_back({"forwarding", Severity::kWarning,
                       *name + ": the kernel forwards what comes in there; sluice has nftables "
                               "keep its packets from it, or does not start",
                       sysctl + ", unless this host is to be a router as well"});
    } else if (ingress_drop->empty()) {
      found.push_back({"forwarding", Severity::kOk,
                       *name + ": the kernel forwards what comes in there, but what is for "
                               "Sluice: nftables drops that",
                       ""});
    } else {
      found.push_back({"forwarding", Severity::kCritical,
                       fmt::format("{}: the kernel forwards Sluice's packets as well, they go "
                                   "round; nftables does not drop them: {}",
                                   *name, *ingress_drop),
                       sysctl});
    }
  }
  return found;
}

}  // namespace sluice::control
