// SPDX-License-Identifier: BSD-3-Clause
// Rules in a device (rte_flow) that bring each answer to the worker of its local port.
//
// The low bits of the port are its class, a class is one worker's (steering.h), and a rule says so
// to the device: TCP or UDP to this local address whose destination port has these low bits goes to
// that queue. One set of rules for each local address; they follow the configuration. Where a
// device refuses the rules of UDP alone, or of one family, those packets are handed off.
#pragma once

#include <rte_flow.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"

namespace sluice {

/// TCP or UDP whose destination port is `value` in the bits of `mask` goes to `queue`.
struct PortRule {
  uint16_t value;
  uint16_t mask;
  uint16_t queue;
};

/// The rules of one local address. Every port meets exactly one.
std::vector<PortRule> port_rules(uint32_t worker_count);

/// One rule as rte_flow wants it; the pointers inside are to its own members.
struct FlowRule {
  FlowRule(const net::IpAddress& local, const PortRule& rule, net::Protocol protocol);
  FlowRule(const FlowRule&) = delete;
  FlowRule& operator=(const FlowRule&) = delete;

  rte_flow_attr attributes{.ingress = 1};
  rte_flow_item_ipv4 ip{}, ip_mask{};
  rte_flow_item_ipv6 ip6{}, ip6_mask{};
  rte_flow_item_tcp tcp{}, tcp_mask{};
  rte_flow_item_udp udp{}, udp_mask{};
  rte_flow_action_queue queue{};
  rte_flow_item pattern[4] = {{.type = RTE_FLOW_ITEM_TYPE_ETH},
                              {.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask},
                              {.type = RTE_FLOW_ITEM_TYPE_TCP, .spec = &tcp, .mask = &tcp_mask},
                              {.type = RTE_FLOW_ITEM_TYPE_END}};
  rte_flow_action actions[2] = {{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue},
                                {.type = RTE_FLOW_ACTION_TYPE_END}};
};

class FlowRules {
 public:
  FlowRules(uint16_t port, uint32_t worker_count) : port_(port), rules_(port_rules(worker_count)) {}
  FlowRules(FlowRules&& other) noexcept;
  FlowRules& operator=(FlowRules&&) = delete;
  ~FlowRules();

  /// Why the device would not take the rules of an address; empty when it would.
  std::string refusal(const net::IpAddress& local) const;
  /// Makes the device have the rules of these addresses and of no others. What it refuses first is
  /// returned, empty when nothing; packets of an address without rules are handed off. After one
  /// that is refused no further ones of its family are tried.
  std::string set(const std::vector<net::IpAddress>& locals);
  /// The device was reset, or is another: it has no rules any more.
  void forget() { flows_.clear(); }

 private:
  std::string add(const net::IpAddress& local);
  void remove(const std::vector<rte_flow*>& flows);

  uint16_t port_;
  std::vector<PortRule> rules_;
  std::map<net::IpAddress, std::vector<rte_flow*>> flows_;
};

}  // namespace sluice
