// SPDX-License-Identifier: BSD-3-Clause
// TCP segments of our own: resets, and the client's SYN sent once more.
//
// Each writes IP and TCP behind room for an Ethernet header, with right checksums.
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

/// Of a RST between two addresses of a family.
constexpr uint16_t reset_frame_length(const IpAddress& ip) {
  const size_t network = ip.is_v4() ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
  return static_cast<uint16_t>(sizeof(EthernetHeader) + network + sizeof(TcpHeader));
}

/// Writes a RST into `frame` (reset_frame_length() bytes; the Ethernet header is left to the way
/// out).
void write_reset(std::span<uint8_t> frame, const ResetFields& fields);

/// The RST that a host without a connection answers with (RFC 9293, section 3.10.7.1); from the
/// packet as it came in. Not to be called for a packet that is a RST itself.
ResetFields reset_answer(const Packet& packet);

/// A segment of our own with whatever stands in it.
struct SegmentFields {
  Endpoint source;
  Endpoint destination;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint8_t flags = 0;
  uint16_t window = 0;
  std::span<const uint8_t> options{};  // a multiple of four, up to 40 bytes
  std::span<const uint8_t> payload{};
};
uint16_t segment_frame_length(const SegmentFields& fields);
/// Writes it into `frame` (segment_frame_length() bytes; the Ethernet header is left to the way
/// out).
void write_segment(std::span<uint8_t> frame, const SegmentFields& fields);

/// Makes a copied header-only segment of `ip_length` bytes whole: its length and its checksums. Of
/// IPv6 without extension headers.
void finish_own_segment(uint8_t* frame, uint16_t ip_length);

/// Parses IP + TCP that we wrote ourselves (a stored SYN), without any check.
Packet view_own_segment(uint8_t* frame);

}  // namespace sluice::net
