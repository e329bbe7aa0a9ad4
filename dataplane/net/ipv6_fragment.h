// SPDX-License-Identifier: BSD-3-Clause
// A packet of IPv6 in fragments (RFC 8200, section 4.5): what came over IPv4 without DF and is too
// large for its way on (RFC 7915, section 4).
//
// IPv6 fragments nothing on its way: what came over IPv6, or with DF, is reported as too big.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/headers.h"

namespace sluice::net {

/// How many fragments of at most `mtu` bytes a packet makes; 0 where no payload fits beside its
/// headers. Every fragment but the last holds the same number of bytes, a multiple of eight.
uint16_t ipv6_fragment_count(const Ipv6Header& ip, uint16_t mtu);

/// Writes fragment `number`, header first, to `to`, which has room for `mtu` bytes; returns its
/// length. `ip`: a whole packet without extension headers, as translation makes it; not in `to`.
/// `payload`: all of what it carries; in `to` only if it stays where it is, of number 0. `id`: one
/// for all fragments, the Identification of IPv4 (RFC 7915, section 4.1).
uint16_t write_ipv6_fragment(const Ipv6Header& ip, std::span<const uint8_t> payload, uint16_t mtu,
                             uint16_t number, uint32_t id, std::span<uint8_t> to);

}  // namespace sluice::net
