// SPDX-License-Identifier: BSD-3-Clause
// The cross checks. Each one is a few lines over the whole configuration and stands by itself.
#include "control/config_check.h"

#include <algorithm>
#include <map>

namespace sluice::control {
namespace {

// The part of a device that names it: "net_af_packet0" of "net_af_packet0,iface=eth0".
std::string device_name(const std::string& device) {
  return device.substr(0, device.find(','));
}

class Check {
 public:
  Check(const Config& config, Reader& reader, std::vector<std::string>& warnings)
      : config_(config), reader_(reader), warnings_(warnings) {}

  void lcores();
  void names();
  void networks();
  void own_addresses();
  void services();
  void backends();
  void gateways();

 private:
  // Calls visit(path, value) for each value that was read well.
  template <class T, class Visit>
  void each(const std::string& list, const std::vector<T>& values, Visit visit) {
    for (size_t i = 0; i < values.size(); ++i) visit(fmt::format("{}[{}]", list, i), values[i]);
  }
  bool was_read(const std::string& path) const { return reader_.places.line(path).has_value(); }
  void problem(const std::string& path, std::string got, std::string expected) {
    reader_.problems.add(reader_.places.line(path).value_or(0), path, std::move(got),
                         std::move(expected));
  }

  // Values that must not come twice, each with the place where it was first seen.
  using Seen = std::map<std::string, std::string>;
  void once(Seen& seen, const std::string& path, const std::string& shown);

  bool any_failed(const std::string& list, size_t count, const std::string& key) const;
  bool on_link(net::Ipv4Address ip) const;
  bool reachable(net::Ipv4Address ip) const;
  // The reachability of anything can be judged only when every interface and route was read.
  bool topology_was_read() const;

  const Config& config_;
  Reader& reader_;
  std::vector<std::string>& warnings_;
  std::map<net::Ipv4Address, std::string> owned_;  // addresses that are Sluice's, and as what
};

void Check::once(Seen& seen, const std::string& path, const std::string& shown) {
  if (!was_read(path)) return;
  auto [first, is_new] = seen.emplace(shown, path);
  if (is_new) return;
  problem(path, fmt::format("{} a second time", shown),
          fmt::format("one that line {} does not have already",
                      reader_.places.line(first->second).value_or(0)));
}

bool Check::any_failed(const std::string& list, size_t count, const std::string& key) const {
  if (reader_.places.failed(list)) return true;
  for (size_t i = 0; i < count; ++i) {
    if (reader_.places.failed(fmt::format("{}[{}].{}", list, i, key))) return true;
  }
  return false;
}

bool Check::topology_was_read() const {
  return !any_failed("interface", config_.interfaces.size(), "addresses") &&
         !any_failed("route", config_.routes.size(), "to");
}

bool Check::on_link(net::Ipv4Address ip) const {
  for (const InterfaceConfig& interface : config_.interfaces) {
    for (const net::Ipv4Prefix& own : interface.addresses) {
      if (own.length > 0 && own.contains(ip)) return true;
    }
  }
  return false;
}

bool Check::reachable(net::Ipv4Address ip) const {
  auto leads_there = [ip](const RouteConfig& route) { return route.to.contains(ip); };
  return on_link(ip) || std::ranges::any_of(config_.routes, leads_there);
}

void Check::lcores() {
  Seen seen;
  each("eal.worker_lcores", config_.eal.worker_lcores, [&](const std::string& path, uint32_t id) {
    once(seen, path, fmt::format("lcore {}", id));
    if (id != config_.eal.main_lcore || reader_.places.failed("eal.worker_lcores")) return;
    if (was_read(path)) {
      problem(path, fmt::format("lcore {}", id), "another one than main_lcore");
    } else if (was_read("eal.main_lcore")) {  // the default of worker_lcores
      problem("eal.main_lcore", fmt::format("lcore {}", id), "another one than worker_lcores has");
    }
  });
  if (config_.eal.worker_lcores.size() > 1) {
    problem("eal.worker_lcores", fmt::format("{} lcores", config_.eal.worker_lcores.size()),
            "one lcore (more workers are not supported by this version)");
  }
}

void Check::names() {
  Seen interfaces, devices, pools, services;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    once(interfaces, path + ".name", in_quotes(item.name));
    once(devices, path + ".device", in_quotes(device_name(item.device)));
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

void Check::networks() {
  std::map<std::string, std::string> owners;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    each(path + ".addresses", item.addresses, [&](const std::string& at, net::Ipv4Prefix own) {
      if (!was_read(at)) return;
      auto [first, is_new] = owners.emplace(to_string(network_of(own)), path);
      if (is_new || first->second == path) return;
      problem(at, in_quotes(to_string(own)), "a network that no other interface has");
    });
  });
  Seen targets;
  each("route", config_.routes, [&](const std::string& path, const RouteConfig& item) {
    once(targets, path + ".to", in_quotes(to_string(item.to)));
  });
}

void Check::own_addresses() {
  Seen interfaces, locals;
  each("interface", config_.interfaces, [&](const std::string& path, const InterfaceConfig& item) {
    each(path + ".addresses", item.addresses, [&](const std::string& at, net::Ipv4Prefix own) {
      once(interfaces, at, in_quotes(to_string(own.address)));
      if (was_read(at)) owned_.emplace(own.address, "an interface's address");
    });
  });
  each("local_pool", config_.local_pools,
       [&](const std::string& path, const LocalPoolConfig& item) {
         each(path + ".addresses", item.addresses, [&](const std::string& at, net::Ipv4Address ip) {
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
  Seen vips;
  std::vector<std::string> pools;
  for (const LocalPoolConfig& pool : config_.local_pools) pools.push_back(pool.name);
  const bool know_pools = !any_failed("local_pool", config_.local_pools.size(), "name");
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    const std::string vip = path + ".vip";
    once(vips, vip, in_quotes(to_string(item.vip)));
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

void Check::backends() {
  const bool know_topology = topology_was_read();
  each("service", config_.services, [&](const std::string& path, const ServiceConfig& item) {
    Seen seen;
    uint64_t weight_sum = 0;
    each(path + ".backend", item.backends,
         [&](const std::string& at, const BackendConfig& backend) {
           const std::string key = at + ".address";
           weight_sum += backend.weight;
           once(seen, key, in_quotes(to_string(backend.address)));
           if (!was_read(key)) return;
           if (auto owner = owned_.find(backend.address.ip); owner != owned_.end()) {
             problem(key, in_quotes(to_string(backend.address)),
                     fmt::format("an address that is not {} too", owner->second));
           } else if (know_topology && !reachable(backend.address.ip)) {
             problem(key, in_quotes(to_string(backend.address)),
                     "an address on an interface's network or behind a [[route]]");
           }
         });
    if (!item.backends.empty() && weight_sum == 0) {
      warnings_.push_back(
          fmt::format("service {}: every backend drains (weight 0): new connections "
                      "are refused",
                      item.name));
    }
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

}  // namespace

void check_config(const Config& config, Reader& reader, std::vector<std::string>& warnings) {
  Check check(config, reader, warnings);
  check.lcores();
  check.names();
  check.networks();
  check.own_addresses();
  check.services();
  check.backends();
  check.gateways();
}

}  // namespace sluice::control
