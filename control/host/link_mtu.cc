// SPDX-License-Identifier: BSD-3-Clause
// The kernel's MTU, and the driver's room.
#include "control/host/link_mtu.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "control/common/unique_fd.h"
#include "dataplane/net/frame_size.h"

namespace sluice::control {
namespace {

uint32_t kernel_mtu(const std::string& name, uint32_t otherwise) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ioctl(fd.get(), SIOCGIFMTU, &request) != 0) return otherwise;
  return static_cast<uint32_t>(std::max(request.ifr_mtu, 0));
}

// What a frame of the packet socket's ring leaves for the frame that came.
uint32_t ring_room(const InterfaceConfig& interface, const std::string& device) {
  const std::string key = ",framesz=";
  const size_t at = device.find(key);
  const uint32_t frame = at == std::string::npos
                             ? net::buffer_bytes_for(interface.mtu.value_or(0))
                             : static_cast<uint32_t>(std::atoi(device.c_str() + at + key.size()));
  return std::max(frame, 2 * net::kRingHeaderBytes) - net::kRingHeaderBytes;
}

}  // namespace

uint32_t stacked_tag_bytes(const InterfaceConfig& interface) {
  const bool counts = interface.outer_vlan && interface.device.starts_with("net_af_packet");
  return counts ? 2 * sizeof(net::VlanTag) : 0;
}

LinkMtu link_mtu_of(const InterfaceConfig& interface, uint32_t of_port) {
  uint32_t room = net::buffer_bytes_for(interface.mtu.value_or(0));
  uint32_t of_carriers = UINT32_MAX;
  for (const std::string& carrier : carriers_of(interface)) {
    if (carrier.starts_with("net_af_packet")) room = std::min(room, ring_room(interface, carrier));
    const auto name = kernel_interface_of(carrier);
    of_carriers = std::min(of_carriers, name ? kernel_mtu(*name, of_port) : of_port);
  }
  // On a device that others share, theirs may be larger.
  const uint32_t mtu_max = interface.vlan ? interface.mtu.value_or(UINT16_MAX) : UINT32_MAX;
  const uint32_t link = std::min(of_carriers - stacked_tag_bytes(interface), mtu_max);
  return {static_cast<uint16_t>(std::min(link, room - net::kEthernetHeaderBytes)), link};
}

bool mtus_differ(const std::vector<LinkMtu>& mtus) {
  return std::ranges::any_of(mtus, [&](const LinkMtu& mtu) {
    return mtu.link > mtu.usable || mtu.usable != mtus.front().usable;
  });
}

}  // namespace sluice::control
