// SPDX-License-Identifier: BSD-3-Clause
// rtnetlink requests, one at a time, each with its acknowledgement.
#include "control/kernel_link.h"

#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "control/way.h"

namespace sluice::control {
namespace {

// Behind whatever route the host has for the same network by itself.
constexpr uint32_t kRouteMetric = 20000;

class Request {
 public:
  Request(uint16_t type, uint16_t flags) : header_(mnl_nlmsg_put_header(buffer_)) {
    header_->nlmsg_type = type;
    header_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    header_->nlmsg_seq = 1;
  }
  template <class Body>
  Body& body() {
    return *static_cast<Body*>(mnl_nlmsg_put_extra_header(header_, sizeof(Body)));
  }
  void put(uint16_t attribute, const void* data, size_t size) {
    mnl_attr_put(header_, attribute, size, data);
  }
  void put(uint16_t attribute, net::Ipv4Address ip) { put(attribute, &ip.raw, sizeof ip.raw); }
  void put(uint16_t attribute, uint32_t number) { put(attribute, &number, sizeof number); }

  // `accepted` is an errno that is as good as success.
  void send(const std::string& step, int accepted) {
    const int error = exchange();
    if (error == 0 || error == accepted) return;
    throw std::runtime_error(fmt::format("{}: {}", step, std::strerror(error)));
  }

 private:
  int exchange() {
    mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (socket == nullptr) return errno;
    int error = 0;
    ssize_t length = 0;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
        mnl_socket_sendto(socket, header_, header_->nlmsg_len) < 0 ||
        (length = mnl_socket_recvfrom(socket, buffer_, sizeof buffer_)) < 0 ||
        mnl_cb_run(buffer_, static_cast<size_t>(length), 1, mnl_socket_get_portid(socket), nullptr,
                   nullptr) < 0) {
      error = errno;
    }
    mnl_socket_close(socket);
    return error;
  }

  alignas(nlmsghdr) char buffer_[8192];
  nlmsghdr* header_;
};

unsigned index_of(const std::string& link) {
  const unsigned index = if_nametoindex(link.c_str());
  if (index == 0) throw std::runtime_error(fmt::format("{} is gone", link));
  return index;
}

void change_address(const std::string& link, net::Ipv4Prefix address, bool add) {
  Request request(add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
  auto& body = request.body<ifaddrmsg>();
  body.ifa_family = AF_INET;
  body.ifa_prefixlen = address.length;
  body.ifa_scope = RT_SCOPE_UNIVERSE;
  body.ifa_index = index_of(link);
  request.put(IFA_LOCAL, address.address);
  request.put(IFA_ADDRESS, address.address);
  if (add && address.length < 31) {
    request.put(IFA_BROADCAST,
                net::Ipv4Address::from_host(address.address.host() | ~address.mask()));
  }
  request.send(fmt::format("address {}", net::to_string(address.address)), add ? 0 : EADDRNOTAVAIL);
}

void change_route(const std::string& link, const RouteConfig& route, bool add) {
  Request request(add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
  auto& body = request.body<rtmsg>();
  body.rtm_family = AF_INET;
  body.rtm_dst_len = route.to.length;
  body.rtm_table = RT_TABLE_MAIN;
  body.rtm_protocol = RTPROT_STATIC;
  body.rtm_scope = RT_SCOPE_UNIVERSE;
  body.rtm_type = RTN_UNICAST;
  if (route.to.length > 0) request.put(RTA_DST, route.to.address);
  request.put(RTA_GATEWAY, route.via);
  request.put(RTA_OIF, uint32_t{index_of(link)});
  request.put(RTA_PRIORITY, kRouteMetric);
  request.send(fmt::format("route to {}", to_string(route.to)), add ? 0 : ESRCH);
}

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

}  // namespace

std::vector<RouteConfig> routes_through(const Config& config, size_t interface) {
  std::vector<RouteConfig> routes;
  for (const RouteConfig& route : config.routes) {
    const auto way = way_towards(config, route.via);
    if (way && way->interface == interface) routes.push_back(route);
  }
  return routes;
}

void bring_up(const std::string& link, net::MacAddress mac, uint32_t mtu) {
  Request request(RTM_NEWLINK, 0);
  auto& body = request.body<ifinfomsg>();
  body.ifi_family = AF_UNSPEC;
  body.ifi_index = static_cast<int>(index_of(link));
  body.ifi_flags = body.ifi_change = IFF_UP;
  request.put(IFLA_ADDRESS, mac.bytes.data(), mac.bytes.size());
  request.put(IFLA_MTU, mtu);
  request.send("MAC address and MTU", 0);
}

void add_address(const std::string& link, net::Ipv4Prefix address) {
  change_address(link, address, true);
}
void remove_address(const std::string& link, net::Ipv4Prefix address) {
  change_address(link, address, false);
}
void add_route(const std::string& link, const RouteConfig& route) {
  change_route(link, route, true);
}
void remove_route(const std::string& link, const RouteConfig& route) {
  change_route(link, route, false);
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
