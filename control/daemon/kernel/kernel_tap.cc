// SPDX-License-Identifier: BSD-3-Clause
// /dev/net/tun.
#include "control/daemon/kernel/kernel_tap.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "control/daemon/kernel/rtnetlink.h"

namespace sluice::control {
namespace {

UniqueFd make_device(const std::string& name) {
  UniqueFd fd(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    const char* remedy =
        errno == ENOENT ? "load the module: modprobe tun" : "it needs CAP_NET_ADMIN";
    throw std::runtime_error(fmt::format("/dev/net/tun: {}; {}", std::strerror(errno), remedy));
  }
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL);
  if (ioctl(fd.get(), TUNSETIFF, &request) == 0) return fd;
  switch (errno) {
    case EBUSY:
    case EEXIST:
    case EINVAL:
      throw std::runtime_error(fmt::format(
          "an interface of that name is there already; choose another, or: ip link del {}", name));
    case EPERM:
      throw std::runtime_error("no permission to make a tap (CAP_NET_ADMIN)");
    default:
      throw std::runtime_error(fmt::format("making the tap: {}", std::strerror(errno)));
  }
}

// Only what has to change: an address that is removed takes routes with it.
void change_addresses(const std::string& link, std::vector<IpPrefix>& now,
                      const std::vector<IpPrefix>& next) {
  for (size_t i = now.size(); i-- > 0;) {
    if (std::ranges::find(next, now[i]) != next.end()) continue;
    remove_address(link, now[i]);
    now.erase(now.begin() + static_cast<ptrdiff_t>(i));
  }
  for (const IpPrefix& own : next) {
    if (std::ranges::find(now, own) != now.end()) continue;
    add_address(link, own);
    now.push_back(own);
  }
}

void change_routes(const std::string& link, std::set<RouteConfig>& now,
                   const std::set<RouteConfig>& next) {
  for (auto at = now.begin(); at != now.end();) {
    if (next.contains(*at)) {
      ++at;
      continue;
    }
    remove_route(link, *at);
    at = now.erase(at);
  }
  for (const RouteConfig& route : next) {
    if (now.contains(route)) continue;
    add_route(link, route);
    now.insert(route);
  }
}

}  // namespace

KernelTap::KernelTap(const std::string& name, net::MacAddress mac, uint32_t mtu,
                     const std::vector<IpPrefix>& addresses, const std::vector<RouteConfig>& routes)
    : name_(name), fd_(make_device(name)) {
  const auto is_v6 = [](const IpPrefix& own) { return !own.address.is_v4(); };
  if (std::ranges::any_of(addresses, is_v6)) keep_from_link_local(name_);
  bring_up(name_, mac, mtu);
  configure(addresses, routes);
}

void KernelTap::configure(const std::vector<IpPrefix>& addresses,
                          const std::vector<RouteConfig>& routes) {
  // A route needs its gateway's network, so routes go first and come last. With the last address of
  // a network the kernel itself removes what depended on it, so they are all put in place anew.
  if (addresses != addresses_) change_routes(name_, routes_, {});
  change_addresses(name_, addresses_, addresses);
  change_routes(name_, routes_, {routes.begin(), routes.end()});
}

void KernelTap::note(int error) {
  gone_ = gone_ || error == EBADFD;
}

bool KernelTap::has_mac(const net::MacAddress& mac) const {
  ifreq request{};
  if (ioctl(fd_.get(), SIOCGIFHWADDR, &request) != 0) return true;
  return std::memcmp(request.ifr_hwaddr.sa_data, mac.bytes.data(), mac.bytes.size()) == 0;
}

bool KernelTap::write(std::span<const uint8_t> frame) {
  if (::write(fd_.get(), frame.data(), frame.size()) >= 0) return true;
  note(errno);
  return false;
}

size_t KernelTap::read(std::span<uint8_t> room) {
  const ssize_t length = ::read(fd_.get(), room.data(), room.size());
  if (length >= 0) return static_cast<size_t>(length);
  note(errno);
  return 0;
}

}  // namespace sluice::control
