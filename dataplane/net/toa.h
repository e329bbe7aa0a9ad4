// SPDX-License-Identifier: BSD-3-Clause
// The TCP option that names a connection's client: TOA.
//
// Source: DPVS (include/ipvs/proto_tcp.h: TCP_OPT_ADDR, TCP_OLEN_IP4_ADDR, TCP_OLEN_IP6_ADDR) and
// Alibaba's toa kernel module; kind 254 is RFC 6994's second experimental one, without an ExID.
#pragma once

#include <cstdint>

#include "dataplane/net/address.h"
#include "dataplane/net/parse.h"

namespace sluice::net {

inline constexpr uint8_t kToaKind = 254;

/// Bytes of the option, a multiple of four.
constexpr uint16_t toa_length(const IpAddress& client) {
  return client.is_v4() ? 8 : 20;
}

/// Writes the option into the room of toa_length() bytes behind the fixed TCP header of a segment
/// whose lengths and checksums know nothing of that room yet, and has them know.
void put_toa(Packet& packet, const Endpoint& client);

}  // namespace sluice::net
