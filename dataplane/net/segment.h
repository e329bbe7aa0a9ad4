// SPDX-License-Identifier: BSD-3-Clause
// TCP segments of our own: resets, and the client's SYN sent once more.
//
// Each writes IPv4 and TCP behind room for an Ethernet header, with right checksums.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/parse.h"

namespace sluice::net {

struct ResetFields {
  Endpoint source;
  Endpoint destination;
  uint32_t sequence;
  uint32_t acknowledgement;
  bool has_acknowledgement;
};

inline constexpr uint16_t kResetFrameLength =
    sizeof(EthernetHeader) + sizeof(Ipv4Header) + sizeof(TcpHeader);

/// Writes a RST into `frame` (kResetFrameLength bytes; the Ethernet header is left to the way out).
void write_reset(std::span<uint8_t> frame, const ResetFields& fields);

/// The RST that a host without a connection answers with (RFC 9293, section 3.10.7.1); from the
/// packet as it came in. Not to be called for a packet that is a RST itself.
ResetFields reset_answer(const Packet& packet);

/// Makes a copied header-only segment of `ip_length` bytes whole: total length and both checksums.
void finish_own_segment(uint8_t* frame, uint16_t ip_length);

/// Parses IPv4 + TCP that we wrote ourselves (a stored SYN), without any check.
Packet view_own_segment(uint8_t* frame);

}  // namespace sluice::net
