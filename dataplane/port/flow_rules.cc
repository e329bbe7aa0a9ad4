// SPDX-License-Identifier: BSD-3-Clause
// Rules put into a device and taken out again.
#include "dataplane/port/flow_rules.h"

#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include "dataplane/port/steering.h"

namespace sluice {
namespace {

std::string reason_of(const rte_flow_error& error, int result) {
  return error.message != nullptr ? error.message : rte_strerror(-result);
}

}  // namespace

FlowRule::FlowRule(const net::IpAddress& local, const PortRule& rule, net::Protocol protocol) {
  if (local.is_v4()) {
    ip.hdr.dst_addr = local.v4().raw;
    ip_mask.hdr.dst_addr = UINT32_MAX;
  } else {
    std::memcpy(&ip6.hdr.dst_addr, local.bytes().data(), local.bytes().size());
    std::memset(&ip6_mask.hdr.dst_addr, 0xff, local.bytes().size());
    pattern[1] = {.type = RTE_FLOW_ITEM_TYPE_IPV6, .spec = &ip6, .mask = &ip6_mask};
  }
  tcp.hdr.dst_port = udp.hdr.dst_port = net::be16::from_host(rule.value).raw;
  tcp_mask.hdr.dst_port = udp_mask.hdr.dst_port = net::be16::from_host(rule.mask).raw;
  if (protocol == net::Protocol::kUdp) {
    pattern[2] = {.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask};
  }
  queue.index = rule.queue;
}

std::vector<PortRule> port_rules(uint32_t worker_count) {
  const uint32_t classes = 1u << port_class_bits(worker_count);
  std::vector<PortRule> rules;
  for (uint32_t c = 0; c < classes; ++c) {
    rules.push_back({static_cast<uint16_t>(c), static_cast<uint16_t>(classes - 1),
                     static_cast<uint16_t>(worker_of_class(c, worker_count))});
  }
  return rules;
}

FlowRules::FlowRules(FlowRules&& other) noexcept
    : port_(other.port_),
      rules_(std::move(other.rules_)),
      flows_(std::exchange(other.flows_, {})) {}

FlowRules::~FlowRules() {
  for (const auto& [local, flows] : flows_) remove(flows);
}

std::string FlowRules::refusal(const net::IpAddress& local) const {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port_, &info) == 0 && info.driver_name == std::string_view("net_tap")) {
    return "net_tap takes rules with a mask, and matches whole ports";  // tap_flow_create_tcp()
  }
  for (const PortRule& rule : rules_) {
    const FlowRule spelled(local, rule, net::Protocol::kTcp);
    rte_flow_error error{};
    const int result =
        rte_flow_validate(port_, &spelled.attributes, spelled.pattern, spelled.actions, &error);
    if (result != 0) return reason_of(error, result);
  }
  return {};
}

std::string FlowRules::add(const net::IpAddress& local) {
  std::vector<rte_flow*>& flows = flows_[local];
  for (const PortRule& rule : rules_) {
    for (const net::Protocol protocol : {net::Protocol::kTcp, net::Protocol::kUdp}) {
      const FlowRule spelled(local, rule, protocol);
      rte_flow_error error{};
      rte_flow* made =
          rte_flow_create(port_, &spelled.attributes, spelled.pattern, spelled.actions, &error);
      if (made != nullptr) {
        flows.push_back(made);
      } else if (protocol == net::Protocol::kTcp) {
        remove(flows);
        flows_.erase(local);
        return net::to_string(local) + ": " + reason_of(error, -rte_errno);
      }
    }
  }
  return {};
}

void FlowRules::remove(const std::vector<rte_flow*>& flows) {
  for (rte_flow* flow : flows) {
    rte_flow_error error{};
    rte_flow_destroy(port_, flow, &error);
  }
}

std::string FlowRules::set(const std::vector<net::IpAddress>& locals) {
  std::erase_if(flows_, [&](const auto& entry) {
    if (std::ranges::find(locals, entry.first) != locals.end()) return false;
    remove(entry.second);
    return true;
  });
  std::string first_refused;
  std::set<net::Family> refusing;
  for (const net::IpAddress& local : locals) {
    if (flows_.contains(local) || refusing.contains(local.family())) continue;
    const std::string refused = add(local);
    if (refused.empty()) continue;
    refusing.insert(local.family());
    if (first_refused.empty()) first_refused = refused;
  }
  return first_refused;
}

}  // namespace sluice
