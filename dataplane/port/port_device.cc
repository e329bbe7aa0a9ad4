// SPDX-License-Identifier: BSD-3-Clause
// What ethdev says of devices, and what it does not.
#include "dataplane/port/port_device.h"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/net/frame_size.h"

namespace sluice {
namespace {

constexpr size_t kAfPacketQueuesMax = 16;

uint32_t overhead_of(const rte_eth_dev_info& info) {
  const bool told = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
  return told ? info.max_rx_pktlen - info.max_mtu : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
}

uint32_t largest_mtu(const rte_eth_dev_info& info) {
  return std::min<uint32_t>(info.max_mtu, info.max_rx_pktlen - overhead_of(info));
}

std::string set_kernel_mtu(unsigned index, uint16_t mtu) {
  ifreq request{};
  if (if_indextoname(index, request.ifr_name) == nullptr) return std::strerror(errno);
  request.ifr_mtu = mtu;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const std::string refusal = ioctl(fd, SIOCSIFMTU, &request) == 0 ? "" : std::strerror(errno);
  close(fd);
  if (refusal.empty()) return refusal;
  return refusal + " (ip link set " + request.ifr_name + " mtu " + std::to_string(mtu) + ")";
}

}  // namespace

std::string with_defaults(const std::string& device, size_t worker_count, uint16_t mtu) {
  std::string full = device;
  const auto add = [&](const std::string& key, const std::string& value) {
    if (device.find("," + key) == std::string::npos) full += "," + key + value;
  };
  // LACP, and spread by ports: all that is for the backends may go to one gateway.
  if (device.starts_with("net_bonding")) {
    add("mode=", "4");
    add("xmit_policy=", "l34");
  }
  if (!device.starts_with("net_af_packet")) return full;
  const uint32_t frame = net::buffer_bytes_for(mtu);
  if (frame > net::buffer_bytes_for(0) && device.find("framesz=") == std::string::npos) {
    add("framesz=", std::to_string(frame));
    add("blocksz=", std::to_string(4 * frame));  // of whole pages, and full of whole frames
  }
  add("framecnt=", "4096");
  if (worker_count > 1) add("qpairs=", std::to_string(std::min(worker_count, kAfPacketQueuesMax)));
  return full;
}

std::string mtu_refusal(const rte_eth_dev_info& info, uint16_t mtu) {
  if (info.if_index != 0 || mtu <= largest_mtu(info)) return "";
  return "the device takes at most " + std::to_string(largest_mtu(info));
}

bool ethdev_takes_mtu(const rte_eth_dev_info& info, uint16_t mtu) {
  return mtu != 0 && mtu <= largest_mtu(info);
}

std::string set_device_mtu(uint16_t id, const rte_eth_dev_info& info, uint16_t mtu) {
  const int result = rte_eth_dev_set_mtu(id, mtu);
  if (result == 0) return "";
  if (info.if_index != 0) return set_kernel_mtu(info.if_index, mtu);
  // Some have taken it with their configuration.
  uint16_t now = 0;
  if (result == -ENOTSUP && rte_eth_dev_get_mtu(id, &now) == 0 && now == mtu) return "";
  return rte_strerror(-result);
}

void close_device(uint16_t id) {
  rte_eth_dev_info info{};
  const bool known = rte_eth_dev_info_get(id, &info) == 0;
  rte_eth_dev_stop(id);
  rte_eth_dev_close(id);
  if (known && info.device != nullptr) rte_dev_remove(info.device);
}

}  // namespace sluice
