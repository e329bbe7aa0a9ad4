// SPDX-License-Identifier: BSD-3-Clause
// What is the host kernel's, and its way there and back (kernel_rings.h).
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// Whether `ip` is an address of this interface, and the kernel has it too.
/// Of IPv6 whatever is no VIP and no local address: the kernel gives itself addresses of its own.
/// Where Sluice forwards, only what is on the link.
bool is_kernels(const Core& core, const net::IpAddress& ip, uint16_t interface);

/// Hands a whole frame, as it came in, to the interface's kernel.
net::Verdict give_to_kernel(Core& core, rte_mbuf* packet, uint16_t interface);

/// What the kernels want to send, a burst for each interface.
void send_from_kernels(Core& core);

}  // namespace sluice
