// SPDX-License-Identifier: BSD-3-Clause
// A packet in fragments (RFC 791, section 3.2), for a way out with a smaller MTU.
//
// The packet may be a fragment itself, whose pieces then are of the same datagram. Every piece but
// the last holds the same number of bytes, a multiple of eight. DF stays what it is: a sender may
// cut its packets itself and have nobody else do so.
#pragma once

#include <cstdint>

#include "dataplane/net/headers.h"

namespace sluice::net {

bool may_fragment(const Ipv4Header& ip);

/// How many fragments of at most `mtu` bytes the packet makes; 0 where no payload fits beside its
/// header.
uint16_t fragment_count(const Ipv4Header& ip, uint16_t mtu);

/// Writes fragment `number`, header first, to `to`, which has room for `mtu` bytes; returns its
/// length. Number 0 is the packet itself, cut short: `to` may then be the packet.
uint16_t write_fragment(const Ipv4Header& ip, uint16_t mtu, uint16_t number, uint8_t* to);

}  // namespace sluice::net
