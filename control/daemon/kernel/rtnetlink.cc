// SPDX-License-Identifier: BSD-3-Clause
// rtnetlink requests, one at a time, each with its acknowledgement; what a link says of itself.
#include "control/daemon/kernel/rtnetlink.h"

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "control/config/route_lookup.h"
#include "control/daemon/kernel/netlink_request.h"

namespace sluice::control {
namespace {

// Behind whatever route the host has for the same network by itself.
constexpr uint32_t kRouteMetric = 20000;
constexpr unsigned kLowerUp = 1u << 16;  // IFF_LOWER_UP, which <net/if.h> lacks

unsigned index_of(const std::string& link) {
  const unsigned index = if_nametoindex(link.c_str());
  if (index == 0) throw std::runtime_error(fmt::format("{} is gone", link));
  return index;
}

uint8_t family_of(const IpAddress& ip) {
  return ip.is_v4() ? AF_INET : AF_INET6;
}

constexpr const char* kIpv6Conf = "/proc/sys/net/ipv6/conf/";

bool write_number(const std::string& file, int number) {
  std::ofstream stream(file);
  stream << number << std::flush;
  return stream.good();
}

int read_number(const std::string& file) {
  int number = 0;
  std::ifstream(file) >> number;
  return number;
}

// A host may have IPv6 off by default; who gives the interface an address wants it there.
void allow_ipv6(const std::string& link) {
  const std::string file = fmt::format("{}{}/disable_ipv6", kIpv6Conf, link);
  if (read_number(file) == 0 || write_number(file, 0)) return;
  throw std::runtime_error(fmt::format("IPv6 is off: sysctl -w net.ipv6.conf.{}.disable_ipv6=0: {}",
                                       link, std::strerror(errno)));
}

void change_address(const std::string& link, const IpPrefix& address, bool add) {
  if (add && !address.address.is_v4()) allow_ipv6(link);
  NetlinkRequest request(add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
  auto& body = request.body<ifaddrmsg>();
  body.ifa_family = family_of(address.address);
  body.ifa_prefixlen = address.length;
  body.ifa_scope = RT_SCOPE_UNIVERSE;
  body.ifa_index = index_of(link);
  request.put(IFA_LOCAL, address.address);
  request.put(IFA_ADDRESS, address.address);
  if (add && address.address.is_v4() && address.length < 31) {
    request.put(IFA_BROADCAST, address.last());
  }
  // It is Sluice that looks whether somebody else has it, and that answers for it.
  if (!address.address.is_v4()) request.put(IFA_FLAGS, uint32_t{IFA_F_NODAD});
  request.send(fmt::format("address {}", to_string(address.address)), add ? 0 : EADDRNOTAVAIL);
}

void change_route(const std::string& link, const RouteConfig& route, bool add) {
  NetlinkRequest request(add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
  auto& body = request.body<rtmsg>();
  body.rtm_family = family_of(route.to.address);
  body.rtm_dst_len = route.to.length;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  body.rtm_flags = route.on_link ? RTNH_F_ONLINK : 0;
  if (route.to.length > 0) request.put(RTA_DST, route.to.address);
  request.put(RTA_GATEWAY, route.via);
  request.put(RTA_OIF, uint32_t{index_of(link)});
  request.put(RTA_PRIORITY, kRouteMetric);
  request.send(fmt::format("route to {}", to_string(route.to)), add ? 0 : ESRCH);
}

int read_link_attribute(const nlattr* attribute, void* link) {
  auto& read = *static_cast<KernelLink*>(link);
  const uint16_t type = mnl_attr_get_type(attribute);
  if (type == IFLA_IFNAME) read.name = mnl_attr_get_str(attribute);
  if (type == IFLA_CARRIER_CHANGES) read.carrier_changes = mnl_attr_get_u32(attribute);
  return MNL_CB_OK;
}

int read_link_message(const nlmsghdr* message, void* link) {
  auto& read = *static_cast<KernelLink*>(link);
  const auto& body = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  read.exists = true;
  read.enabled = (body.ifi_flags & IFF_UP) != 0;
  read.carrier = (body.ifi_flags & kLowerUp) != 0;
  read.running = (body.ifi_flags & IFF_RUNNING) != 0;
  return mnl_attr_parse(message, sizeof(ifinfomsg), read_link_attribute, link);
}

}  // namespace

std::vector<RouteConfig> routes_through(const Config& config, size_t interface) {
  const RouteLookup lookup(config);
  std::vector<RouteConfig> routes;
  for (const RouteConfig& route : config.routes) {
    const auto way = lookup.find_gateway(route);
    if (way && way->interface == interface) routes.push_back(route);
  }
  return routes;
}

void keep_from_link_local(const std::string& link) {
  constexpr int kNone = 1;  // IN6_ADDR_GEN_MODE_NONE
  static_cast<void>(write_number(fmt::format("{}{}/addr_gen_mode", kIpv6Conf, link), kNone));
}

void bring_up(const std::string& link, net::MacAddress mac, uint32_t mtu) {
  NetlinkRequest request(RTM_NEWLINK, 0);
  auto& body = request.body<ifinfomsg>();
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = static_cast<int>(index_of(link));
  body.ifi_flags = body.ifi_change = IFF_UP;
  request.put(IFLA_ADDRESS, mac.bytes.data(), mac.bytes.size());
  request.put(IFLA_MTU, mtu);
  request.send("MAC address and MTU");
}

void add_address(const std::string& link, const IpPrefix& address) {
  change_address(link, address, true);
}
void remove_address(const std::string& link, const IpPrefix& address) {
  change_address(link, address, false);
}
void add_route(const std::string& link, const RouteConfig& route) {
  change_route(link, route, true);
}
void remove_route(const std::string& link, const RouteConfig& route) {
  change_route(link, route, false);
}

KernelLink read_link(unsigned index) {
  NetlinkRequest request(RTM_GETLINK, 0, NetlinkRequest::Kind::kQuestion);
  auto& body = request.body<ifinfomsg>();
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = static_cast<int>(index);
  KernelLink link;
  const int error = request.ask(read_link_message, &link);
  if (error != 0 && error != ENODEV) {
    throw std::runtime_error(fmt::format("interface {}: {}", index, std::strerror(error)));
  }
  return link;
}

std::string mute(const std::string& link) {
  const std::string all = "/proc/sys/net/ipv4/conf/all/";
  const std::string own = fmt::format("/proc/sys/net/ipv4/conf/{}/", link);
  constexpr int kStrict = 1, kLoose = 2, kNoAnswer = 8;
  // Of both the kernel takes the larger number.
  if (read_number(all + "rp_filter") == kLoose) {
    return "net.ipv4.conf.all.rp_filter is 2 (sysctl -w net.ipv4.conf.all.rp_filter=0)";
  }
  if (!write_number(own + "rp_filter", kStrict) || !write_number(own + "arp_ignore", kNoAnswer)) {
    return fmt::format(
        "{}: {} (sysctl -w net.ipv4.conf.{}.rp_filter=1 net.ipv4.conf.{}.arp_ignore=8)", own,
        std::strerror(errno), link, link);
  }
  return {};
}

}  // namespace sluice::control
