// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors of our own, at a bounded rate.
#pragma once

#include "dataplane/stage/core.h"

namespace sluice {

/// "Unreachable", and what is counted: that it went, or that it was one too many.
struct OwnError {
  uint8_t code;  // an icmp_code
  uint16_t mtu;  // 0 but with kFragmentationNeeded
  Event sent;
  Event limited;
};

/// To the sender of `ip`, from the address that it was sent to; `quoted` bytes of the packet are
/// right, at most net::kIcmpQuoteLengthMax. Nothing is sent where no route leads back, where
/// IcmpLimit allows no more, or where there is no buffer.
void send_error(Core& core, const net::Ipv4Header& ip, uint16_t quoted, const OwnError& error);

}  // namespace sluice
