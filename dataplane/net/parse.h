// SPDX-License-Identifier: BSD-3-Clause
// From frame bytes to pointers at headers that are known to lie inside the frame.
//
// parse() accepts a frame only when every length in it agrees with the others; after it, the stages
// read headers without another bounds check. It changes nothing and keeps nothing.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/net/drop_reason.h"
#include "dataplane/net/headers.h"

namespace sluice::net {

/// Views into one frame; valid as long as the frame is.
struct Packet {
  enum class Kind : uint8_t { kArp, kTcp, kIcmp, kBad };

  Kind kind;
  DropReason reason;   // of kBad
  uint16_t l4_length;  // TCP or ICMP header and payload, bytes
  EthernetHeader* ethernet;
  union {
    Ipv4Header* ip;  // kTcp, kIcmp
    ArpHeader* arp;  // kArp
  };
  union {
    TcpHeader* tcp;    // kTcp
    IcmpHeader* icmp;  // kIcmp
  };

  uint16_t payload_length() const {
    return static_cast<uint16_t>(l4_length - tcp->header_length());
  }
  /// Sequence space that the segment takes: payload, SYN and FIN (RFC 9293, section 3.4).
  uint32_t sequence_length() const {
    return uint32_t{payload_length()} + tcp->has(tcp_flag::kSyn) + tcp->has(tcp_flag::kFin);
  }
  uint32_t sequence_end() const { return tcp->sequence.host() + sequence_length(); }
};

/// Fills in what its kind says of a packet, in place: a Packet that is copied right after its parts
/// were written costs more than the parsing.
void parse(std::span<uint8_t> frame, Packet& packet);

inline Packet parse(std::span<uint8_t> frame) {
  Packet packet{};
  parse(frame, packet);
  return packet;
}

}  // namespace sluice::net
