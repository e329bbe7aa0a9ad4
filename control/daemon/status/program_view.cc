// SPDX-License-Identifier: BSD-3-Clause
// Rows about the program and its devices.
#include "control/daemon/status/program_view.h"

#include <fmt/format.h>

#include <rte_version.h>
#include <unistd.h>

#include <chrono>
#include <cmath>

#include "control/common/clock.h"
#include "control/common/row_json.h"
#include "control/common/text.h"
#include "control/config/device_text.h"
#include "control/daemon/core/multicast_groups.h"
#include "dataplane/port/port_stats.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// A process's start, as everybody will go on to see it.
const double kStart = unix_seconds();

}  // namespace

ProgramRow program_row(const DataplaneManager& dataplane, const ReloadRecord& reloads,
                       const EventLoop::Load& loop) {
  return {.version = SLUICE_VERSION,
          .dpdk = rte_version(),
          .pid = static_cast<uint64_t>(getpid()),
          .start_s = kStart,
          .uptime_ms = (unix_seconds() - kStart) * 1000,
          .services = dataplane.config().services.size(),
          .overrides = dataplane.runtime().overrides.size(),
          .draining = dataplane.runtime().drain.has_value(),
          .reloads = reloads.succeeded,
          .reloads_failed = reloads.failed,
          .last_reload_succeeded = reloads.last_succeeded,
          .last_reload_error = reloads.last_error,
          .last_reload_success_s = reloads.last_success_s,
          .loop_iterations_per_s = loop.iterations_per_s,
          .loop_busy_percent = std::round(10 * loop.busy_percent) / 10,
          .loop_busiest = loop.busiest,
          .loop_spins = loop.spins};
}

namespace {

std::string vlan_text(const InterfaceConfig& interface) {
  const net::VlanIds vlan = vlan_of(interface);
  if (vlan.outer != 0) return fmt::format("{}.{}", vlan.outer, vlan.inner);
  return vlan.inner != 0 ? fmt::format("{}", vlan.inner) : "";
}

}  // namespace

std::vector<InterfaceRow> interface_rows(const DataplaneManager& dataplane) {
  std::vector<InterfaceRow> rows;
  for (size_t i = 0; i < dataplane.ports().size(); ++i) {
    const InterfaceConfig& interface = dataplane.config().interfaces[i];
    const uint16_t port = dataplane.ports()[i].id();
    const PortStats stats = read_port_stats(port);
    const LinkState& link = dataplane.links()[i];
    InterfaceRow& row = rows.emplace_back();
    row = {.name = interface.name,
           .device = interface.device,
           .vlan = vlan_text(interface),
           .unmatched = std::string(to_string(interface.unmatched)),
           .link = link.up ? "up" : "down",
           .link_up = link.up,
           .link_reason = link.reason,
           .speed_mbps = read_port_link(port).speed_mbps,
           .packets_in = stats.received_packets,
           .packets_out = stats.sent_packets,
           .bytes_in = stats.received_bytes,
           .bytes_out = stats.sent_bytes,
           .missed = stats.missed,
           .rx_errors = stats.rx_errors,
           .tx_errors = stats.tx_errors,
           .no_buffer = stats.no_buffer};
    for (const auto& [name, value] : read_port_xstats(port)) row.xstats[name] = value;
  }
  return rows;
}

namespace {

std::string multicast_text(const Port& port) {
  switch (port.multicast().reception()) {
    case Multicast::Reception::kAll:
      return "all";
    case Multicast::Reception::kGroups:
      return "groups";
    case Multicast::Reception::kNone:
      break;
  }
  return "none: " + port.multicast().reason();
}

// A software device without a NIC takes whatever it is given.
std::string lacking_multicast(const DataplaneManager& dataplane, size_t i) {
  const Port& port = dataplane.ports()[i];
  const InterfaceConfig& interface = dataplane.config().interfaces[i];
  const bool has_nic = is_bus_device(interface.device) || port.kernel_index() != 0;
  if (port.multicast().reception() != Multicast::Reception::kNone || !has_nic) return {};
  std::vector<std::string> wanted;
  if (!interface.kernel.empty()) wanted.push_back("OSPF, VRRP and LLDP for " + interface.kernel);
  if (!multicast_groups(dataplane.config()).empty()) {
    wanted.emplace_back("IPv6 neighbours' questions");
  }
  return join(wanted, ", ");
}

}  // namespace

std::vector<LinkRow> link_rows(const DataplaneManager& dataplane) {
  std::vector<LinkRow> rows;
  const Config& config = dataplane.config();
  for (size_t i = 0; i < config.interfaces.size(); ++i) {
    const LinkState& link = dataplane.links()[i];
    const TxWatch::Loss loss = dataplane.tx_watch().loss(i);
    const PortStats stats = read_port_stats(dataplane.ports()[i].id());
    rows.push_back({.name = config.interfaces[i].name,
                    .device = config.interfaces[i].device,
                    .link_up = link.up,
                    .link_reason = link.reason,
                    .link_remedy = link.remedy,
                    .unsent_recent = loss.packets,
                    .unsent_percent = loss.percent,
                    .received = {stats.received_packets},
                    .missed = {stats.missed},
                    .rx_errors = {stats.rx_errors},
                    .no_buffer = {stats.no_buffer},
                    .mtu = dataplane.port_infos()[i].mtu.usable,
                    .multicast = multicast_text(dataplane.ports()[i]),
                    .multicast_lacking = lacking_multicast(dataplane, i)});
  }
  return rows;
}

json view_program(const DataplaneManager& dataplane, const ReloadRecord& reloads,
                  const EventLoop::Load& loop) {
  const ProgramRow row = program_row(dataplane, reloads, loop);
  return {{"program", json::array({json_of(row, FieldPlace::kShow)})}};
}

json view_interfaces(const DataplaneManager& dataplane) {
  return {{"interfaces", json_of(interface_rows(dataplane), FieldPlace::kShow)}};
}

}  // namespace sluice::control
