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

// Calls remove() for what only `now` has and add() for what only `next` has; `now` follows.
template <class T, class Remove, class Add>
void change(std::vector<T>& now, const std::vector<T>& next, Remove remove, Add add) {
  for (size_t i = now.size(); i-- > 0;) {
    if (std::ranges::find(next, now[i]) != next.end()) continue;
    remove(now[i]);
    now.erase(now.begin() + static_cast<ptrdiff_t>(i));
  }
  for (const T& item : next) {
    if (std::ranges::find(now, item) != now.end()) continue;
    add(item);
    now.push_back(item);
  }
}

}  // namespace

KernelTap::KernelTap(const std::string& name, net::MacAddress mac, uint32_t mtu,
                     const std::vector<net::Ipv4Prefix>& addresses,
                     const std::vector<RouteConfig>& routes)
    : name_(name), fd_(make_device(name)) {
  bring_up(name_, mac, mtu);
  configure(addresses, routes);
}

void KernelTap::configure(const std::vector<net::Ipv4Prefix>& addresses,
                          const std::vector<RouteConfig>& routes) {
  // A route needs its gateway's network, so routes go first and come last. With the last address of
  // a network the kernel itself removes what depended on it, so they are all put in place anew.
  change(
      routes_, {}, [&](const RouteConfig& route) { remove_route(name_, route); },
      [](const RouteConfig&) {});
  change(
      addresses_, addresses, [&](net::Ipv4Prefix own) { remove_address(name_, own); },
      [&](net::Ipv4Prefix own) { add_address(name_, own); });
  change(
      routes_, routes, [](const RouteConfig&) {},
      [&](const RouteConfig& route) { add_route(name_, route); });
}

void KernelTap::note(int error) {
  gone_ = gone_ || error == EBADFD;
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
