// SPDX-License-Identifier: BSD-3-Clause
// The cross checks. Each one is a few lines over the whole configuration and stands by itself.
#include "control/config/config_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "control/config/address_rules.h"
#include "control/config/device_text.h"
#include "control/config/health_check_rules.h"
#include "control/config/protocol_rules.h"
#include "control/config/quic_rules.h"
#include "control/config/route_lookup.h"
#include "control/config/rules.h"
#include "dataplane/state/registry.h"

namespace sluice::control {
namespace {

class Check : private Rules {
 public:
  Check(const Config& config, Reader& reader, std::vector<std::string>& warnings);

  void lcores();
  void processes();
  void names();
  void devices();
  void networks();
  void ports();
  void hosts();
  void neighbours();
  void own_addresses();
  void services();
  void backends();
  void backends_once(const std::string& path, const ServiceConfig& service);
  void gateways();
  void clients();
  void totals();
  void files();
  void sockets();
  void listening();
  void kernels();

 private:
  // Values that must not come twice, each with the place where it was first seen.
  using Seen = std::unordered_map<std::string, std::string>;
  void once(Seen& seen, const std::string& path, const std::string& shown);

  bool on_link(const IpAddress& ip) const;
  // Reports an address that is a network's own on a link, or its broadcast address.
  template <class Address>
  void must_be_a_host(const std::string& path, const Address& address);
  bool reachable(const IpAddress& ip) const;

  std::vector<std::string>& warnings_;
  PrefixTable targets_;                     // of [[route]]s
  std::map<IpAddress, std::string> owned_;  // addresses that are Sluice's, and as what
};

Check::Check(const Config& config, Reader& reader, std::vector<std::string>& warnings)
    : Rules(config, reader), warnings_(warnings) {
  std::vector<IpPrefix> targets;
  for (const RouteConfig& route : config.routes) targets.push_back(route.to);
  targets_ = PrefixTable(targets);
}

void Check::once(Seen& seen, const std::string& path, const std::string& shown) {
  if (!was_read(path)) return;
  auto [first, is_new] = seen.emplace(shown, path);
  if (is_new) return;
  problem(path, fmt::format("{} a second time", shown),
          fmt::format("one that line {} does not have already",
                      reader_.places.line(first->second).value_or(0)));
}

bool Check::on_link(const IpAddress& ip) const {
  for (const InterfaceConfig& interface : config_.interfaces) {
    for (const IpPrefix& own : interface.addresses) {
      if (own.length > 0 && own.contains(ip)) return true;
    }
  }
  return false;
}

bool Check::reachable(const IpAddress& ip) const {
  return on_link(ip) || targets_.find(ip) != targets_.kNone;
}

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

void Check::devices() {
  Seen devices, links;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    const std::string at = path + ".device";
    if (was_read(at) && looks_like_a_kernel_interface(item.device)) {
      problem(at, in_quotes(item.device),
              fmt::format("a PCI address, or a driver such as \"net_af_packet0,iface={}\"",
                          item.device));
      return;
    }
    if (was_read(at) && is_wrong_pci_address(device_name(item.device))) {
      problem(at, in_quotes(item.device), "a PCI address as lspci -D writes it: \"0000:3b:00.0\"");
      return;
    }
    once(devices, at, in_quotes(device_name(item.device)));
    if (const auto link = kernel_interface_of(item.device)) {
      once(links, at, in_quotes("iface=" + *link));
    }
  });
}

void Check::networks() {
  std::map<std::string, std::string> owners;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    each(path + ".addresses", item.addresses, [&](const std::string& at, const IpPrefix& own) {
      if (!was_read(at)) return;
      auto [first, is_new] = owners.emplace(to_string(own.network()), path);
      if (is_new || first->second == path) return;
      problem(at, in_quotes(to_string(own)), "a network that no other interface has");
    });
  });
  Seen targets;
  each("route", config_.routes, [&](const std::string& path, const RouteConfig& item) {
    once(targets, path + ".to", in_quotes(to_string(item.to)));
  });
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

const IpAddress& host_of(const IpAddress& ip) {
  return ip;
}
const IpAddress& host_of(const IpEndpoint& endpoint) {
  return endpoint.ip;
}

template <class Address>
void Check::must_be_a_host(const std::string& path, const Address& address) {
  const IpAddress& ip = host_of(address);
  for (const InterfaceConfig& interface : config_.interfaces) {
    for (const IpPrefix& own : interface.addresses) {
      // RFC 3021, RFC 6164: of two addresses both are hosts.
      if (own.length == 0 || own.length + 1u >= ip.bit_count() || !own.contains(ip)) continue;
      const bool is_network = ip == own.first();
      if (!is_network && (!ip.is_v4() || ip != own.last())) continue;
      if (!was_read(path)) return;
      problem(path, in_quotes(to_string(address)),
              fmt::format("a host's address: this is the {} of {} on interface {}",
                          is_network ? "network address" : "broadcast address",
                          to_string(own.network()), interface.name));
      return;
    }
  }
}

void Check::hosts() {
  each("local_pool", config_.local_pools, [&](const std::string& path, const auto& item) {
    each(path + ".addresses", item.addresses,
         [&](const std::string& at, const IpAddress& ip) { must_be_a_host(at, ip); });
  });
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    must_be_a_host(path + ".vip", item.vip);
    each(path + ".backend", item.backends, [&](const std::string& at, const auto& backend) {
      must_be_a_host(at + ".address", backend.address);
    });
  });
  each("route", config_.routes, [&](const std::string& path, const RouteConfig& route) {
    must_be_a_host(path + ".via", route.via);
  });
}

// Pinned next hops, and room for all that the configuration names.
void Check::neighbours() {
  std::set<IpAddress> named;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    const std::string at = path + ".neighbours";
    for (const NeighbourConfig& pinned : item.neighbours) {
      named.insert(pinned.ip);
      const auto is_there = [&](const IpPrefix& own) {
        return own.length > 0 && own.contains(pinned.ip);
      };
      must_be_a_host(at, pinned.ip);
      if (const auto owner = owned_.find(pinned.ip); owner != owned_.end()) {
        problem(at, in_quotes(to_string(pinned.ip)),
                fmt::format("an address that is not {}", owner->second));
      } else if (topology_was_read() && std::ranges::none_of(item.addresses, is_there)) {
        problem(at, in_quotes(to_string(pinned.ip)),
                fmt::format("an address on a network of interface {}", item.name));
      }
    }
  });
  for (const RouteConfig& route : config_.routes) named.insert(route.via);
  for (const ServiceConfig& service : config_.services) {
    for (const BackendConfig& backend : service.backends) named.insert(backend.address.ip);
  }
  if (2 * named.size() <= config_.limits.neighbours_per_worker) return;
  if (reader_.places.failed("limits.neighbours_per_worker")) return;
  problem("limits.neighbours_per_worker", fmt::format("{}", config_.limits.neighbours_per_worker),
          fmt::format("twice as many as there are backends, gateways and pinned neighbours ({})",
                      named.size()));
}

void Check::own_addresses() {
  Seen interfaces, locals;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    each(path + ".addresses", item.addresses, [&](const std::string& at, const IpPrefix& own) {
      once(interfaces, at, in_quotes(to_string(own.address)));
      if (was_read(at)) owned_.emplace(own.address, "an interface's address");
    });
  });
  each("local_pool", config_.local_pools,
       [&](const std::string& path, const LocalPoolConfig& item) {
         each(path + ".addresses", item.addresses, [&](const std::string& at, const IpAddress& ip) {
           once(locals, at, in_quotes(to_string(ip)));
           if (!was_read(at)) return;
           owned_[ip] = "a local address";
           if (topology_was_read() && !on_link(ip)) {
             warnings_.push_back(fmt::format(
                 "the local address {} is on no interface's network: the backends need a "
                 "route to it",
                 to_string(ip)));
           }
         });
       });
}

void Check::services() {
  Seen vips[2];  // by protocol: a port may be TCP's and UDP's
  std::vector<std::string> pools;
  for (const LocalPoolConfig& pool : config_.local_pools) pools.push_back(pool.name);
  const bool know_pools = !any_failed("local_pool", config_.local_pools.size(), "name");
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    const std::string vip = path + ".vip";
    once(vips[static_cast<size_t>(item.protocol)], vip, in_quotes(to_string(item.vip)));
    auto owner = owned_.find(item.vip.ip);
    if (was_read(vip) && owner != owned_.end() && owner->second == "a local address") {
      problem(vip, in_quotes(to_string(item.vip)), "an address that is not a local address too");
    }
    const std::string pool = path + ".local_pool";
    if (!know_pools || reader_.places.failed(pool)) return;
    if (std::ranges::find(pools, item.local_pool) != pools.end()) return;
    auto near = nearest(item.local_pool, pools);
    problem(was_read(pool) ? pool : path, fmt::format("local_pool {}", in_quotes(item.local_pool)),
            near ? fmt::format("the name of a [[local_pool]] (the nearest is {})", in_quotes(*near))
                 : "the name of a [[local_pool]]");
  });
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    if (was_read(path + ".vip")) owned_.emplace(item.vip.ip, "a vip");
  });
}

// There may be very many backends: text is made only where there is a mistake.
void Check::backends() {
  const bool know_topology = topology_was_read();
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    uint64_t weight_sum = 0;
    std::set<IpEndpoint> seen;
    const auto is_new = [&](const BackendConfig& backend) {
      return seen.insert(backend.address).second;
    };
    for (const BackendConfig& backend : item.backends) weight_sum += backend.weight;
    if (!std::ranges::all_of(item.backends, is_new)) backends_once(path, item);
    each(path + ".backend", item.backends,
         [&](const std::string& at, const BackendConfig& backend) {
           const auto owner = owned_.find(backend.address.ip);
           const bool is_owned = owner != owned_.end();
           if (!is_owned && (!know_topology || reachable(backend.address.ip))) return;
           const std::string key = at + ".address";
           if (!was_read(key)) return;
           problem(key, in_quotes(to_string(backend.address)),
                   is_owned ? fmt::format("an address that is not {} too", owner->second)
                            : "an address on an interface's network or behind a [[route]]");
         });
    if (!item.backends.empty() && weight_sum == 0) {
      warnings_.push_back(
          fmt::format("service {}: every backend drains (weight 0): new connections "
                      "are refused",
                      item.name));
    }
  });
}

void Check::backends_once(const std::string& path, const ServiceConfig& service) {
  Seen seen;
  each(path + ".backend", service.backends, [&](const std::string& at, const BackendConfig& item) {
    once(seen, at + ".address", in_quotes(to_string(item.address)));
  });
}

void Check::gateways() {
  const bool know_topology = topology_was_read();
  each("route", config_.routes, [&](const std::string& path, const RouteConfig& route) {
    const std::string via = path + ".via";
    if (!was_read(via)) return;
    if (auto owner = owned_.find(route.via); owner != owned_.end()) {
      problem(via, in_quotes(to_string(route.via)),
              fmt::format("a gateway that is not {}", owner->second));
    } else if (know_topology && !on_link(route.via)) {
      problem(via, in_quotes(to_string(route.via)), "a gateway on an interface's network");
    }
  });
}

// Who is answered: clients on the networks of the interfaces that are theirs, and behind routes
// there.
void Check::clients() {
  if (!topology_was_read()) return;
  std::set<IpAddress> hosts;
  for (const ServiceConfig& service : config_.services) {
    for (const BackendConfig& backend : service.backends) hosts.insert(backend.address.ip);
  }
  const RouteLookup routes(config_);
  std::set<size_t> of_backends;
  for (const IpAddress& host : hosts) {
    if (const auto way = routes.find(host)) of_backends.insert(way->interface);
    if (of_backends.size() == config_.interfaces.size()) break;
  }
  const bool all_are = of_backends.size() >= config_.interfaces.size();
  const auto is_for_clients = [&](const RouteConfig& route) {
    const auto way = routes.find(route.via);
    return way && (all_are || !of_backends.contains(way->interface));
  };
  if (std::ranges::any_of(config_.routes, is_for_clients)) return;
  warnings_.emplace_back(
      "no [[route]] leads to clients: those that are not on an interface's own network get no "
      "answer (to = \"0.0.0.0/0\", via = a gateway on the clients' side)");
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
    if (const auto link = kernel_interface_of(item.device); link && was_read(path + ".device")) {
      taken.emplace(in_quotes(*link), path + ".device");
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
  check.networks();
  check.ports();
  check.own_addresses();
  check.services();
  check.backends();
  check.gateways();
  check.clients();
  check.totals();
  check.hosts();
  check.neighbours();
  check.files();
  check.sockets();
  check.listening();
  check.kernels();
  check_health_checks(config, reader);
  check_protocol_keys(config, reader);
  check_quic(config, reader);
}

}  // namespace sluice::control
