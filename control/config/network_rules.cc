// SPDX-License-Identifier: BSD-3-Clause
// Cross checks of addresses. Each one is a few lines over the whole configuration.
#include "control/config/network_rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "control/config/address_rules.h"
#include "control/config/link_addresses.h"
#include "control/config/route_lookup.h"
#include "control/config/rules.h"

namespace sluice::control {
namespace {

using net::Family;

constexpr std::array kFamilies = {Family::kIpv4, Family::kIpv6};

const char* name_of(Family family) {
  return family == Family::kIpv4 ? "IPv4" : "IPv6";
}

class NetworkRules : private Rules {
 public:
  NetworkRules(const Config& config, Reader& reader, std::vector<std::string>& warnings);
  void check();

 private:
  void networks();
  void mtus();
  void own_addresses();
  void locals();
  void vips();
  void local_pools();
  void backends();
  void backend(const std::string& at, const BackendConfig& item, const LocalPoolConfig* pool);
  void backends_once(const std::string& path, const ServiceConfig& service);
  void gateways();
  void gateway(const std::string& path, const RouteConfig& route);
  void named_gateway(const std::string& path, const RouteConfig& route,
                     const InterfaceConfig* interface);
  void clients();
  void clients_of(Family family, const RouteLookup& routes, const std::set<size_t>& of_backends);
  void hosts();
  void neighbours();
  void neighbour(const std::string& at, const InterfaceConfig& interface, const IpAddress& ip);
  void neighbour_count();

  bool on_link(const IpAddress& ip) const;
  bool reachable(const IpAddress& ip) const;
  bool is_pinned_there(const InterfaceConfig& interface, const IpAddress& ip) const;
  const LocalPoolConfig* pool_of(const std::string& path, const ServiceConfig& service) const;
  // Reports an address that is a network's own on a link, or its broadcast address.
  template <class Address>
  void must_be_a_host(const std::string& path, const Address& address);

  std::vector<std::string>& warnings_;
  const RouteLookup routes_;
  PrefixTable targets_;                             // of [[route]]s, and gateways that they name
  std::map<IpAddress, std::string> owned_;          // addresses that are Sluice's, and as what
  std::map<IpAddress, std::string> gateway_links_;  // of those that are on no network
};

NetworkRules::NetworkRules(const Config& config, Reader& reader, std::vector<std::string>& warnings)
    : Rules(config, reader), warnings_(warnings), routes_(config) {
  std::vector<IpPrefix> targets;
  for (const RouteConfig& route : config.routes) {
    targets.push_back(route.to);
    if (needs_interface(route)) targets.push_back(host_route(route.via));
  }
  targets_ = PrefixTable(targets);
}

bool NetworkRules::on_link(const IpAddress& ip) const {
  for (const InterfaceConfig& interface : config_.interfaces) {
    for (const IpPrefix& own : interface.addresses) {
      if (own.length > 0 && own.contains(ip)) return true;
    }
  }
  return false;
}

bool NetworkRules::reachable(const IpAddress& ip) const {
  return on_link(ip) || targets_.find(ip) != targets_.kNone;
}

// Every interface has the network fe80::/64.
void NetworkRules::networks() {
  std::map<std::string, std::string> owners;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    each(path + ".addresses", item.addresses, [&](const std::string& at, const IpPrefix& own) {
      if (!was_read(at) || is_link_local(own.address)) return;
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

// RFC 8200, section 5: every link of IPv6 carries 1,280 bytes.
void NetworkRules::mtus() {
  constexpr uint32_t kIpv6Min = 1280;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    if (!item.mtu || *item.mtu >= kIpv6Min || !has_family(item, Family::kIpv6)) return;
    if (!was_read(path + ".mtu")) return;
    problem(path + ".mtu", fmt::format("{}", *item.mtu),
            fmt::format("at least {} where there is IPv6", kIpv6Min));
  });
}

void NetworkRules::own_addresses() {
  Seen all;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    Seen of_link;
    each(path + ".addresses", item.addresses, [&](const std::string& at, const IpPrefix& own) {
      const bool of_this_link = is_link_local(own.address);
      once(of_this_link ? of_link : all, at, in_quotes(to_string(own.address)));
      if (was_read(at) && !of_this_link) owned_.emplace(own.address, "an interface's address");
    });
  });
}

void NetworkRules::locals() {
  Seen all;
  each("local_pool", config_.local_pools,
       [&](const std::string& path, const LocalPoolConfig& item) {
         each(path + ".addresses", item.addresses, [&](const std::string& at, const IpAddress& ip) {
           once(all, at, in_quotes(to_string(ip)));
           if (!was_read(at)) return;
           const IpAddress& first = item.addresses.front();
           if (was_read(path + ".addresses[0]") && ip.family() != first.family()) {
             problem(at, in_quotes(to_string(ip)),
                     fmt::format("an {} address, as the first of this local_pool is",
                                 name_of(first.family())));
           }
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

void NetworkRules::vips() {
  Seen seen[2];  // by protocol: a port may be TCP's and UDP's
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    const std::string vip = path + ".vip";
    once(seen[static_cast<size_t>(item.protocol)], vip, in_quotes(to_string(item.vip)));
    if (!was_read(vip)) return;
    // What clients are answered with leaves by an interface.
    const Family family = item.vip.ip.family();
    const auto has_it = [family](const InterfaceConfig& interface) {
      return has_family(interface, family);
    };
    auto owner = owned_.find(item.vip.ip);
    if (owner != owned_.end() && owner->second == "a local address") {
      problem(vip, in_quotes(to_string(item.vip)), "an address that is not a local address too");
    } else if (topology_was_read() && std::ranges::none_of(config_.interfaces, has_it)) {
      problem(vip, in_quotes(to_string(item.vip)),
              fmt::format("an [[interface]] with an {} address beside it: none has one",
                          name_of(family)));
    }
  });
}

void NetworkRules::local_pools() {
  std::vector<std::string> pools;
  for (const LocalPoolConfig& pool : config_.local_pools) pools.push_back(pool.name);
  if (any_failed("local_pool", config_.local_pools.size(), "name")) return;
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    const std::string pool = path + ".local_pool";
    if (reader_.places.failed(pool)) return;
    if (std::ranges::find(pools, item.local_pool) != pools.end()) return;
    auto near = nearest(item.local_pool, pools);
    problem(was_read(pool) ? pool : path, fmt::format("local_pool {}", in_quotes(item.local_pool)),
            near ? fmt::format("the name of a [[local_pool]] (the nearest is {})", in_quotes(*near))
                 : "the name of a [[local_pool]]");
  });
}

// Nothing where its family cannot be told.
const LocalPoolConfig* NetworkRules::pool_of(const std::string& path,
                                             const ServiceConfig& service) const {
  if (reader_.places.failed(path + ".local_pool") ||
      any_failed("local_pool", config_.local_pools.size(), "name")) {
    return nullptr;
  }
  for (size_t i = 0; i < config_.local_pools.size(); ++i) {
    const LocalPoolConfig& pool = config_.local_pools[i];
    if (pool.name != service.local_pool) continue;
    return was_read(fmt::format("local_pool[{}].addresses[0]", i)) ? &pool : nullptr;
  }
  return nullptr;
}

// There may be very many backends: text is made only where there is a mistake.
void NetworkRules::backends() {
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    uint64_t weight_sum = 0;
    std::set<IpEndpoint> seen;
    const auto is_new = [&](const BackendConfig& backend) {
      return seen.insert(backend.address).second;
    };
    for (const BackendConfig& backend : item.backends) weight_sum += backend.weight;
    if (!std::ranges::all_of(item.backends, is_new)) backends_once(path, item);
    const LocalPoolConfig* pool = pool_of(path, item);
    each(path + ".backend", item.backends,
         [&](const std::string& at, const BackendConfig& one) { backend(at, one, pool); });
    if (!item.backends.empty() && weight_sum == 0) {
      warnings_.push_back(
          fmt::format("service {}: every backend drains (weight 0): new connections "
                      "are refused",
                      item.name));
    }
  });
}

void NetworkRules::backend(const std::string& at, const BackendConfig& item,
                           const LocalPoolConfig* pool) {
  const auto owner = owned_.find(item.address.ip);
  const bool is_owned = owner != owned_.end();
  const bool fits = pool == nullptr || pool->addresses.front().family() == item.address.ip.family();
  if (!is_owned && fits && (!topology_was_read() || reachable(item.address.ip))) return;
  const std::string key = at + ".address";
  if (!was_read(key)) return;
  if (!fits) {
    problem(key, in_quotes(to_string(item.address)),
            fmt::format("an {0} address: those of local_pool {1} are {0}, and packets go from them "
                        "to backends",
                        name_of(pool->addresses.front().family()), in_quotes(pool->name)));
    return;
  }
  problem(key, in_quotes(to_string(item.address)),
          is_owned ? fmt::format("an address that is not {} too", owner->second)
                   : "an address on an interface's network or behind a [[route]]");
}

void NetworkRules::backends_once(const std::string& path, const ServiceConfig& service) {
  Seen seen;
  each(path + ".backend", service.backends, [&](const std::string& at, const BackendConfig& item) {
    once(seen, at + ".address", in_quotes(to_string(item.address)));
  });
}

void NetworkRules::gateways() {
  each("route", config_.routes, [&](const std::string& path, const RouteConfig& route) {
    if (was_read(path + ".via")) gateway(path, route);
  });
}

void NetworkRules::gateway(const std::string& path, const RouteConfig& route) {
  const std::string via = path + ".via";
  const std::string shown = in_quotes(to_string(route.via));
  const Family family = route.to.address.family();
  if (was_read(path + ".to") && route.via.family() != family) {
    return problem(via, shown, fmt::format("an {} address, as the network's is", name_of(family)));
  }
  if (auto owner = owned_.find(route.via); owner != owned_.end()) {
    return problem(via, shown, fmt::format("a gateway that is not {}", owner->second));
  }
  const std::string key = path + ".interface";
  const auto named = std::ranges::find(config_.interfaces, route.interface, &InterfaceConfig::name);
  const InterfaceConfig* interface = named == config_.interfaces.end() ? nullptr : &*named;
  if (reader_.places.failed(key) || reader_.places.failed(path + ".on_link")) return;
  if (was_read(key) && interface == nullptr) {
    if (any_failed("interface", config_.interfaces.size(), "name")) return;
    return problem(key, in_quotes(route.interface), "the name of an [[interface]]");
  }
  if (needs_interface(route)) return named_gateway(path, route, interface);
  if (!topology_was_read()) return;
  if (!on_link(route.via)) {
    return problem(via, shown, "a gateway on an interface's network (or on_link = true)");
  }
  const auto way = routes_.find(route.via);
  if (interface == nullptr || !way || &config_.interfaces[way->interface] == interface) return;
  problem(key, in_quotes(route.interface),
          fmt::format("{}, whose network has {}",
                      in_quotes(config_.interfaces[way->interface].name), to_string(route.via)));
}

// Of a route whose gateway no network tells.
void NetworkRules::named_gateway(const std::string& path, const RouteConfig& route,
                                 const InterfaceConfig* interface) {
  const std::string via = path + ".via";
  const std::string shown = in_quotes(to_string(route.via));
  const bool of_link = is_link_local(route.via);
  if (interface == nullptr) {
    return problem(of_link ? via : path + ".on_link", of_link ? shown : "true",
                   fmt::format("interface = \"NAME\" beside {}",
                               of_link ? "a gateway of fe80::/10" : "it: where the gateway is"));
  }
  if (!topology_was_read()) return;
  if (!has_family(*interface, route.via.family())) {
    return problem(path + ".interface", in_quotes(interface->name),
                   fmt::format("an interface with an {} address", name_of(route.via.family())));
  }
  if (of_link) {
    if (std::ranges::find(interface->addresses, route.via, &IpPrefix::address) !=
        interface->addresses.end()) {
      problem(via, shown, "a gateway that is not an interface's address");
    }
    return;
  }
  const auto [first, is_new] = gateway_links_.emplace(route.via, interface->name);
  if (is_new || first->second == interface->name) return;
  problem(path + ".interface", in_quotes(interface->name),
          fmt::format("{}, as for another route by {}", in_quotes(first->second), shown));
}

// Who is answered: clients on the networks of the interfaces that are theirs, and behind routes
// there.
void NetworkRules::clients() {
  if (!topology_was_read()) return;
  std::set<IpAddress> hosts;
  std::set<Family> families;  // of clients
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& service) {
    if (was_read(path + ".vip")) families.insert(service.vip.ip.family());
    for (const BackendConfig& backend : service.backends) hosts.insert(backend.address.ip);
  });
  std::set<size_t> of_backends;
  for (const IpAddress& host : hosts) {
    if (const auto way = routes_.find(host)) of_backends.insert(way->interface);
    if (of_backends.size() == config_.interfaces.size()) break;
  }
  for (const Family family : families) clients_of(family, routes_, of_backends);
}

void NetworkRules::clients_of(Family family, const RouteLookup& routes,
                              const std::set<size_t>& of_backends) {
  const bool all_are = of_backends.size() >= config_.interfaces.size();
  const auto is_for_clients = [&](const RouteConfig& route) {
    if (route.via.family() != family) return false;
    const auto way = routes.find_gateway(route);
    return way && (all_are || !of_backends.contains(way->interface));
  };
  if (std::ranges::any_of(config_.routes, is_for_clients)) return;
  warnings_.push_back(fmt::format(
      "no [[route]] leads to clients{}: those that are not on an interface's own network get no "
      "answer (to = \"{}\", via = a gateway on the clients' side)",
      family == Family::kIpv4 ? "" : " of IPv6", family == Family::kIpv4 ? "0.0.0.0/0" : "::/0"));
}

const IpAddress& host_of(const IpAddress& ip) {
  return ip;
}
const IpAddress& host_of(const IpEndpoint& endpoint) {
  return endpoint.ip;
}

template <class Address>
void NetworkRules::must_be_a_host(const std::string& path, const Address& address) {
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

void NetworkRules::hosts() {
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

void NetworkRules::neighbours() {
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    for (const NeighbourConfig& pinned : item.neighbours) {
      neighbour(path + ".neighbours", item, pinned.ip);
    }
  });
  neighbour_count();
}

void NetworkRules::neighbour(const std::string& at, const InterfaceConfig& interface,
                             const IpAddress& ip) {
  must_be_a_host(at, ip);
  if (const auto owner = owned_.find(ip); owner != owned_.end()) {
    problem(at, in_quotes(to_string(ip)), fmt::format("an address that is not {}", owner->second));
  } else if (topology_was_read() && !is_pinned_there(interface, ip)) {
    problem(at, in_quotes(to_string(ip)),
            fmt::format("an address on a network of interface {}", interface.name));
  }
}

bool NetworkRules::is_pinned_there(const InterfaceConfig& interface, const IpAddress& ip) const {
  const auto has_it = [&](const IpPrefix& own) { return own.length > 0 && own.contains(ip); };
  const auto goes_by_it = [&](const RouteConfig& route) {
    return route.via == ip && needs_interface(route) && route.interface == interface.name;
  };
  return std::ranges::any_of(interface.addresses, has_it) ||
         (is_link_local(ip) && has_family(interface, Family::kIpv6)) ||
         std::ranges::any_of(config_.routes, goes_by_it);
}

// Each family has a table of its own.
void NetworkRules::neighbour_count() {
  std::set<IpAddress> named;
  for (const InterfaceConfig& interface : config_.interfaces) {
    for (const NeighbourConfig& pinned : interface.neighbours) named.insert(pinned.ip);
  }
  for (const RouteConfig& route : config_.routes) named.insert(route.via);
  for (const ServiceConfig& service : config_.services) {
    for (const BackendConfig& backend : service.backends) named.insert(backend.address.ip);
  }
  if (reader_.places.failed("limits.neighbours_per_worker")) return;
  for (const Family family : kFamilies) {
    const auto count = static_cast<size_t>(std::ranges::count(named, family, &IpAddress::family));
    if (2 * count <= config_.limits.neighbours_per_worker) continue;
    problem("limits.neighbours_per_worker", fmt::format("{}", config_.limits.neighbours_per_worker),
            fmt::format("twice as many as there are backends, gateways and pinned neighbours ({})",
                        count));
  }
}

void NetworkRules::check() {
  networks();
  mtus();
  own_addresses();
  locals();
  vips();
  local_pools();
  for (size_t i = 0; i < config_.services.size(); ++i) {
    if (!was_read(fmt::format("service[{}].vip", i))) continue;
    owned_.emplace(config_.services[i].vip.ip, "a vip");
  }
  backends();
  gateways();
  clients();
  hosts();
  neighbours();
}

}  // namespace

void check_networks(const Config& config, Reader& reader, std::vector<std::string>& warnings) {
  NetworkRules(config, reader, warnings).check();
}

}  // namespace sluice::control
