// SPDX-License-Identifier: BSD-3-Clause
// Compares configurations and refuses what cannot change live.
#include "control/daemon/core/reload.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>

#include "control/common/text.h"
#include "control/daemon/core/identities.h"
#include "control/host/flow_log_file.h"

namespace sluice::control {
namespace {

template <class Member>
bool same_in_interfaces(const Config& a, const Config& b, Member InterfaceConfig::*member) {
  return std::ranges::equal(a.interfaces, b.interfaces, {}, member, member);
}

// A local address keeps its ports for as long as it is configured.
bool same_ports(const Config& a, const Config& b) {
  for (const LocalPoolConfig& pool : a.local_pools) {
    for (const LocalPoolConfig& other : b.local_pools) {
      if (pool.ports == other.ports) continue;
      if (std::ranges::find_first_of(pool.addresses, other.addresses) != pool.addresses.end()) {
        return false;
      }
    }
  }
  return true;
}

struct FixedKey {
  const char* name;
  bool (*same)(const Config& a, const Config& b);
};

using C = const Config&;
constexpr FixedKey kFixedKeys[] = {
    {"eal.main_lcore", [](C a, C b) { return a.eal.main_lcore == b.eal.main_lcore; }},
    {"eal.worker_lcores", [](C a, C b) { return a.eal.worker_lcores == b.eal.worker_lcores; }},
    {"eal.steering", [](C a, C b) { return a.eal.steering == b.eal.steering; }},
    {"eal.memory_mb", [](C a, C b) { return a.eal.memory_mb == b.eal.memory_mb; }},
    {"eal.hugepages", [](C a, C b) { return a.eal.hugepages == b.eal.hugepages; }},
    {"eal.telemetry", [](C a, C b) { return a.eal.telemetry == b.eal.telemetry; }},
    {"eal.interface_wait_seconds",
     [](C a, C b) { return a.eal.interface_wait == b.eal.interface_wait; }},
    {"eal.idle", [](C a, C b) { return a.eal.idle == b.eal.idle; }},
    {"eal.multi_process", [](C a, C b) { return a.eal.multi_process == b.eal.multi_process; }},
    {"eal.args", [](C a, C b) { return a.eal.args == b.eal.args; }},
    {"control.socket", [](C a, C b) { return a.control.socket == b.control.socket; }},
    {"control.read_socket",
     [](C a, C b) { return a.control.read_socket == b.control.read_socket; }},
    {"control.socket_group",
     [](C a, C b) { return a.control.socket_group == b.control.socket_group; }},
    {"control.metrics_listen",
     [](C a, C b) { return a.control.metrics_listen == b.control.metrics_listen; }},
    {"control.page_listen",
     [](C a, C b) { return a.control.page_listen == b.control.page_listen; }},
    {"interface.name", [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::name); }},
    {"interface.device",
     [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::device); }},
    {"interface.members",
     [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::members); }},
    {"interface.mtu", [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::mtu); }},
    {"interface.vlan", [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::vlan); }},
    {"interface.outer_vlan",
     [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::outer_vlan); }},
    {"interface.kernel",
     [](C a, C b) { return same_in_interfaces(a, b, &InterfaceConfig::kernel); }},
    {"limits.flows_per_worker",
     [](C a, C b) { return a.limits.flows_per_worker == b.limits.flows_per_worker; }},
    {"limits.neighbours_per_worker",
     [](C a, C b) { return a.limits.neighbours_per_worker == b.limits.neighbours_per_worker; }},
    {"limits.syns_per_worker",
     [](C a, C b) { return a.limits.syns_per_worker == b.limits.syns_per_worker; }},
    {"limits.clients_per_worker",
     [](C a, C b) { return a.limits.clients_per_worker == b.limits.clients_per_worker; }},
    {"limits.fragments_per_worker",
     [](C a, C b) { return a.limits.fragments_per_worker == b.limits.fragments_per_worker; }},
    {"limits.why_per_worker",
     [](C a, C b) { return a.limits.why_per_worker == b.limits.why_per_worker; }},
    {"limits.flow_index", [](C a, C b) { return a.limits.flow_index == b.limits.flow_index; }},
    {"local_pool.ports", same_ports},
    {"state.keep", [](C a, C b) { return a.state.keep == b.state.keep; }},
    {"state.directory", [](C a, C b) { return a.state.directory == b.state.directory; }},
};

}  // namespace

std::vector<std::string> keys_that_need_restart(const Config& now, const Config& next) {
  std::vector<std::string> keys;
  for (const FixedKey& key : kFixedKeys) {
    if (!key.same(now, next)) keys.push_back(key.name);
  }
  return keys;
}

void check_reload(const Config& now, const LoadedConfig& loaded, const std::string& file) {
  if (!loaded.ok()) {
    std::string lines = describe(loaded.problems, file);
    lines.pop_back();  // the last line's end
    throw ApplyError(lines);
  }
  const auto keys = keys_that_need_restart(now, loaded.config);
  if (!keys.empty()) {
    throw ApplyError(fmt::format("{}: {} cannot change while packets flow: needs a restart", file,
                                 join(keys, ", ")));
  }
  try {
    check_flow_log(loaded.config.flow_log);
  } catch (const std::system_error& error) {
    throw ApplyError(error.what());
  }
  for (const std::string& warning : loaded.warnings) spdlog::warn("{}", warning);
}

}  // namespace sluice::control
