// SPDX-License-Identifier: BSD-3-Clause
// How large an IP packet may be on an interface.
//
// DPDK calls every kernel interface's MTU 1500, so the kernel is asked; and what a buffer or a
// frame of net_af_packet's ring does not hold, Sluice cannot carry whatever the link is set to.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/config.h"

namespace sluice::control {

struct LinkMtu {
  uint16_t usable = 1500;  // the largest packet that Sluice takes and sends there
  uint32_t link = 1500;    // what the link is set to
  bool operator==(const LinkMtu&) const = default;
};

// What an interface takes of its device's MTU: of one tag the kernel knows, two it counts as the
// packet's, where frames leave by a packet socket.
uint32_t stacked_tag_bytes(const InterfaceConfig& interface);

// `of_port` is DPDK's, for devices that are no kernel interface.
LinkMtu link_mtu_of(const InterfaceConfig& interface, uint32_t of_port);

// Whether a packet that comes in by one interface may be too large for another, or for Sluice.
bool mtus_differ(const std::vector<LinkMtu>& mtus);

}  // namespace sluice::control
