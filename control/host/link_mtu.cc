// SPDX-License-Identifier: BSD-3-Clause
// The kernel's MTU, and the driver's room.
#include "control/host/link_mtu.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "control/common/unique_fd.h"
#include "control/config/config.h"

namespace sluice::control {
namespace {

constexpr uint32_t kEthernetHeader = 14;
constexpr uint32_t kBufferBytes = 2048;  // of an mbuf, beside its headroom

uint32_t kernel_mtu(const std::string& name, uint32_t otherwise) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(fd.get(), SIOCGIFMTU, &request) != 0) return otherwise;
  return static_cast<uint32_t>(std::max(request.ifr_mtu, 0));
}

// What a frame of the packet socket's ring leaves for the packet: TPACKET_V2's header comes first.
uint32_t ring_frame_bytes(const std::string& device) {
  constexpr uint32_t kRingFrame = 2048;  // the driver's default
  constexpr uint32_t kRingHeader = 66;
  const std::string key = ",framesz=";
  const size_t at = device.find(key);
  const uint32_t frame = at == std::string::npos
                             ? kRingFrame
                             : static_cast<uint32_t>(std::atoi(device.c_str() + at + key.size()));
  return std::max(frame, 2 * kRingHeader) - kRingHeader;
}

}  // namespace

LinkMtu link_mtu_of(const std::string& device, uint32_t of_port) {
  uint32_t frame = kBufferBytes;
  if (device.starts_with("net_af_packet")) frame = std::min(frame, ring_frame_bytes(device));
  const auto name = kernel_interface_of(device);
  const uint32_t link = name ? kernel_mtu(*name, of_port) : of_port;
  return {static_cast<uint16_t>(std::min(link, frame - kEthernetHeader)), link};
}

bool mtus_differ(const std::vector<LinkMtu>& mtus) {
  return std::ranges::any_of(mtus, [&](const LinkMtu& mtu) {
    return mtu.link > mtu.usable || mtu.usable != mtus.front().usable;
  });
}

}  // namespace sluice::control
