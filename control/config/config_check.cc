// SPDX-License-Identifier: BSD-3-Clause
// The cross checks. Each one is a few lines over the whole configuration and stands by itself.
#include "control/config/config_check.h"

#include <algorithm>
#include <map>
#include <utility>

#include "control/config/address_rules.h"
#include "control/config/device_text.h"
#include "control/config/guard_rules.h"
#include "control/config/health_check_rules.h"
#include "control/config/network_rules.h"
#include "control/config/protocol_rules.h"
#include "control/config/quic_rules.h"
#include "control/config/rules.h"
#include "dataplane/state/registry.h"

namespace sluice::control {
namespace {

// As it stands behind a device that it shares; empty without.
std::string vlan_text(const InterfaceConfig& interface) {
  if (!interface.vlan) return "";
  if (!interface.outer_vlan) return fmt::format(" with vlan {}", *interface.vlan);
  return fmt::format(" with outer_vlan {} and vlan {}", *interface.outer_vlan, *interface.vlan);
}

class Check : private Rules {
 public:
  Check(const Config& config, Reader& reader, std::vector<std::string>& warnings)
      : Rules(config, reader), warnings_(warnings) {}

  void lcores();
  void processes();
  void names();
  void devices();
  void vlans();
  void unmatched();
  void ports();
  void totals();
  void files();
  void sockets();
  void listening();
  void kernels();

 private:
  bool names_a_device(const std::string& at, const std::string& device);
  void members(const std::string& path, const InterfaceConfig& item, const InterfaceConfig& first);

  std::vector<std::string>& warnings_;
};

void Check::lcores() {
  Seen seen;
  each("eal.worker_lcores", config_.eal.worker_lcores, [&](const std::string& path, uint32_t id) {
    once(seen, path, fmt::format("lcore {}", id));
  });
  const auto& workers = config_.eal.worker_lcores;
  if (std::ranges::find(workers, config_.eal.main_lcore) != workers.end()) {
    warnings_.push_back(fmt::format(
        "eal.main_lcore: a worker polls CPU {} as well: it shares it with the control thread",
        config_.eal.main_lcore));
  }
}

// Memory without hugepages is anonymous: no other process can map it.
void Check::processes() {
  if (!config_.eal.multi_process || config_.eal.hugepages) return;
  if (!was_read("eal.multi_process") || !was_read("eal.hugepages")) return;
  problem("eal.multi_process", "true", "false where eal.hugepages is false (no file to share)");
}

void Check::names() {
  Seen interfaces, pools, services;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    once(interfaces, path + ".name", in_quotes(item.name));
  });
  each("local_pool", config_.local_pools,
       [&](const std::string& path, const LocalPoolConfig& item) {
         // Without a name it is "default", and its addresses say where it stands.
         const std::string at = was_read(path + ".name") ? path + ".name" : path;
         if (!reader_.places.failed(path + ".name")) once(pools, at, in_quotes(item.name));
       });
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    once(services, path + ".name", in_quotes(item.name));
  });
}

bool Check::names_a_device(const std::string& at, const std::string& device) {
  if (!was_read(at)) return true;
  if (looks_like_a_kernel_interface(device)) {
    problem(at, in_quotes(device),
            fmt::format("a PCI address, or a driver such as \"net_af_packet0,iface={}\"", device));
    return false;
  }
  if (is_wrong_pci_address(device_name(device))) {
    problem(at, in_quotes(device), "a PCI address as lspci -D writes it: \"0000:3b:00.0\"");
    return false;
  }
  return true;
}

void Check::devices() {
  Seen devices, links;
  std::map<std::string, const InterfaceConfig*> firsts;  // of devices, by name
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    const std::string at = path + ".device";
    if (!names_a_device(at, item.device)) return;
    // Interfaces share a device if their VLANs tell them apart; then it is the same to all of them.
    const std::string name = in_quotes(device_name(eal_device(item.device)));
    const InterfaceConfig& first = *firsts.emplace(name, &item).first->second;
    if (first.device != item.device) {
      problem(at, in_quotes(item.device),
              fmt::format("{}, as an interface before has it", in_quotes(first.device)));
      return;
    }
    once(devices, item.vlan ? path + ".vlan" : at, name + vlan_text(item));
    members(path, item, first);
    const auto link = kernel_interface_of(item.device);
    if (link && &first == &item) once(links, at, in_quotes("iface=" + *link));
    if (&first != &item) return;
    each(path + ".members", item.members, [&](const std::string& where, const std::string& member) {
      if (!names_a_device(where, member)) return;
      const std::string of_member = in_quotes(device_name(eal_device(member)));
      if (!firsts.emplace(of_member, &item).second) {
        problem(where, of_member, "a device of its own, that nothing before has");
      }
      if (const auto of = kernel_interface_of(member))
        once(links, where, in_quotes("iface=" + *of));
    });
  });
}

// A bond has members, and no other device has.
void Check::members(const std::string& path, const InterfaceConfig& item,
                    const InterfaceConfig& first) {
  const bool is_bond = item.device.starts_with("net_bonding");
  if (reader_.places.failed(path + ".members")) return;
  if (is_bond && item.members.empty()) {
    problem(path + ".device", in_quotes(item.device), "members as well, the devices of the bond");
  } else if (!is_bond && !item.members.empty()) {
    problem(path + ".members", in_quotes(item.members.front()),
            "no members: the device is no bond (\"net_bonding0\")");
  } else if (is_bond && item.members != first.members) {
    problem(path + ".members", in_quotes(item.members.front()),
            "the members that an interface before has on that device");
  }
}

void Check::vlans() {
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    if (!item.outer_vlan || item.vlan || reader_.places.failed(path + ".vlan")) return;
    problem(path + ".outer_vlan", fmt::format("{}", *item.outer_vlan),
            "a vlan as well, the inner one");
  });
}

// Who sends packets through waits for answers: they come back by another interface, as a rule.
void Check::unmatched() {
  size_t forwarding = 0;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    forwarding += item.unmatched == Unmatched::kForward;
    if (item.unmatched != Unmatched::kKernel || !item.kernel.empty()) return;
    if (!was_read(path + ".unmatched") || reader_.places.failed(path + ".kernel")) return;
    problem(path + ".unmatched", "\"kernel\"", "a kernel as well, which gets the packets");
  });
  if (forwarding == 1 && config_.interfaces.size() > 1) {
    warnings_.push_back(
        "interface.unmatched: one interface alone forwards: what comes back by others is dropped");
  }
}

void Check::ports() {
  const size_t workers = config_.eal.worker_lcores.size();
  each("local_pool", config_.local_pools,
       [&](const std::string& path, const LocalPoolConfig& item) {
         if (item.ports.size() >= workers || reader_.places.failed(path + ".ports")) return;
         problem(path + ".ports", in_quotes(to_string(item.ports)),
                 fmt::format("a port for each of the {} workers at least", workers));
       });
}

// What all services name together: there is room for so many, removed ones that linger included.
void Check::totals() {
  size_t backends = 0, paths = 0;
  std::map<std::string, size_t> addresses;  // by local_pool
  for (const LocalPoolConfig& pool : config_.local_pools) {
    addresses[pool.name] = pool.addresses.size();
  }
  bool many_backends = false, many_paths = false;
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    backends += item.backends.size();
    paths += item.backends.size() * addresses[item.local_pool];
    if (backends > Registry::kBackends && !std::exchange(many_backends, true)) {
      problem(path, "more backends than there is room for",
              fmt::format("at most {} in all services together", Registry::kBackends));
    }
    if (paths > Registry::kPaths && !std::exchange(many_paths, true)) {
      problem(path, "more pairs of a local address and a backend than there is room for",
              fmt::format("at most {} in all services together", Registry::kPaths));
    }
  });
}

void Check::files() {
  const std::string& file = config_.flow_log.file;
  if (file.empty() || file.starts_with('/') || !was_read("flow_log.file")) return;
  problem("flow_log.file", in_quotes(file), "an absolute path");
}

void Check::sockets() {
  const ControlConfig& control = config_.control;
  if (was_read("control.read_socket") && control.read_socket == control.socket) {
    problem("control.read_socket", in_quotes(control.read_socket),
            "another path than control.socket");
  }
  if (was_read("control.socket_group") && control.read_socket.empty() &&
      !reader_.places.failed("control.read_socket")) {
    problem("control.socket_group", in_quotes(control.socket_group),
            "a control.read_socket, which it is for");
  }
}

// Metrics and page ask nobody who they are.
void Check::listening() {
  const ControlConfig& control = config_.control;
  const auto one = [this](const char* key, const std::optional<IpEndpoint>& listen) {
    if (!listen || is_loopback(listen->ip)) return;
    warnings_.push_back(
        fmt::format("{} {}: whoever reaches this address can read it; {} is for this machine alone",
                    key, to_string(*listen), listen->ip.is_v4() ? "127.0.0.1" : "[::1]"));
  };
  one("control.metrics_listen", control.metrics_listen);
  one("control.page_listen", control.page_listen);
  if (control.page_listen && control.page_listen == control.metrics_listen) {
    problem("control.page_listen", in_quotes(to_string(*control.page_listen)),
            "another address or port than control.metrics_listen");
  }
}

void Check::kernels() {
  Seen taken;  // names of kernel interfaces
  std::map<IpAddress, std::string> kernels;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    if (!was_read(path + ".device")) return;
    for (const std::string& carrier : carriers_of(item)) {
      const auto link = kernel_interface_of(carrier);
      if (link) taken.emplace(in_quotes(*link), path + ".device");
    }
  });
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    if (item.kernel.empty()) return;
    once(taken, path + ".kernel", in_quotes(item.kernel));
    for (const IpPrefix& own : item.addresses) kernels.emplace(own.address, item.kernel);
  });
  // The kernel's own connections would take the ports that flows use.
  each("local_pool", config_.local_pools,
       [&](const std::string& path, const LocalPoolConfig& item) {
         each(path + ".addresses", item.addresses, [&](const std::string& at, const IpAddress& ip) {
           const auto kernel = kernels.find(ip);
           if (!was_read(at) || kernel == kernels.end()) return;
           problem(at, in_quotes(to_string(ip)),
                   fmt::format("an address that {} does not give to the kernel", kernel->second));
         });
       });
}

}  // namespace

void check_config(const Config& config, Reader& reader, std::vector<std::string>& warnings) {
  Check check(config, reader, warnings);
  check.lcores();
  check.processes();
  check.names();
  check.devices();
  check.vlans();
  check.unmatched();
  check.ports();
  check_networks(config, reader, warnings);
  check.totals();
  check.files();
  check.sockets();
  check.listening();
  check.kernels();
  check_health_checks(config, reader);
  check_protocol_keys(config, reader);
  check_quic(config, reader);
  check_guards(config, reader);
}

}  // namespace sluice::control
