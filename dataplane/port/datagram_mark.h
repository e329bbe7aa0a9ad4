// SPDX-License-Identifier: BSD-3-Clause
// How large the fragments were of which a buffer's datagram was made.
//
// The sender has measured its path with them: what leaves in fragments again must not be larger.
// Kept with the buffer, as a flag of our own beside a field that nobody reads without its flag, so
// that it reaches whichever worker the datagram belongs to.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>

namespace sluice {

/// Asks DPDK for the flag; to be called before the first of the others. Throws std::runtime_error.
void register_datagram_mark();
/// `largest`: of the fragments as packets, headers included, bytes.
void mark_datagram(rte_mbuf* buffer, uint16_t largest);
/// 0: it came whole.
uint16_t largest_fragment(const rte_mbuf* buffer);

}  // namespace sluice
