// SPDX-License-Identifier: BSD-3-Clause
// Fan-out of packet sockets without the kernel's reassembly.
//
// With several queues net_af_packet asks for PACKET_FANOUT_FLAG_DEFRAG (drivers/net/af_packet,
// DPDK 22.11), and has no argument against it: the kernel would then put IPv4's fragments together,
// and cut off what does not fit a frame of the ring. The driver is a shared object, so its call of
// setsockopt() finds ours before the C library's.
#pragma once

namespace sluice {

/// PACKET_FANOUT's argument (the group's number, type and flags) without that flag.
int fanout_without_reassembly(int argument);
/// Does nothing but have the linker take this file; whoever probes devices calls it.
void replace_setsockopt();

}  // namespace sluice
