// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors of our own, in the family of the packet that they are about, at a bounded rate.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// What is wrong with a packet.
struct OwnError {
  enum class Kind : uint8_t { kPortUnreachable, kTooBig, kTimeExceeded, kNoRoute };
  Kind kind;
  net::IpAddress source;  // of ours, of the packet's family: who says so
  uint16_t quoted;        // how many bytes of the packet are right
  uint16_t mtu = 0;       // kTooBig: what its sender may send
};

/// To the sender of `packet`, which is quoted as far as an error may (RFC 1812, section 4.3.2.3;
/// RFC 4443, section 2.4 (c)). Nothing is sent about what no error may be about (RFC 1122, section
/// 3.2.2; RFC 4443, section 2.4 (e)), where no route leads back, where IcmpLimit allows no more, or
/// where there is no buffer.
void send_error(Core& core, const net::Packet& packet, const OwnError& error);

}  // namespace sluice
