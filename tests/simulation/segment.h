// SPDX-License-Identifier: BSD-3-Clause
// A TCP segment as the models see it, and its form on the wire. Written apart from dataplane/net on
// purpose: what judges the core must not share its mistakes.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::sim {

struct Address {
  uint32_t ip = 0;  // host order, as everywhere in the simulator
  uint16_t port = 0;

  bool operator==(const Address&) const = default;
};

enum Flag : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16 };

constexpr unsigned kSackBlocksMax = 3;
constexpr unsigned kFrameSizeMax = 384;
constexpr unsigned kEthernetSize = 14;
constexpr unsigned kPayloadMax = 256;
constexpr uint16_t kHeadersSize = 40;  // IPv4 and TCP without options
constexpr uint16_t kMtuMax = 1500;
constexpr uint16_t kMssOfAll = kMtuMax - kHeadersSize;  // what every end states
// No end offers it: by this a stranger's segment is known, whatever else was rewritten.
constexpr uint16_t kStrangersWindow = 54'321;

// In the identity of a SYN: it is one of a flood (flood.h), and this its number.
constexpr uint32_t kSpoofedBit = 1u << 31;

struct SackBlock {
  uint32_t left;
  uint32_t right;
};

struct Segment {
  Address source;
  Address destination;
  uint32_t seq = 0;
  uint32_t ack = 0;
  uint8_t flags = 0;
  uint8_t ttl = 64;
  uint16_t ip_id = 0;
  uint16_t window = 65535;
  uint16_t mss = 0;  // 0: no option
  bool sack_permitted = false;
  bool has_window_scale = false;
  uint8_t window_scale = 0;
  bool has_timestamps = false;
  uint32_t tsval = 0;
  uint32_t tsecr = 0;
  uint8_t sack_count = 0;
  SackBlock sack[kSackBlocksMax] = {};
  // Every SYN names its connection in an option of RFC 6994 that nobody may touch; that is how the
  // checker knows whose SYN it is, whatever the numbers have become.
  bool has_identity = false;
  uint32_t identity = 0;
  const uint8_t* payload = nullptr;
  uint16_t payload_size = 0;

  bool is(uint8_t flag) const { return (flags & flag) != 0; }
  bool is_syn() const { return (flags & (kSyn | kAck | kRst)) == kSyn; }
  bool is_syn_ack() const { return (flags & (kSyn | kAck | kRst)) == (kSyn | kAck); }
  // The sequence space it takes.
  uint32_t length() const { return payload_size + (is(kSyn) ? 1u : 0u) + (is(kFin) ? 1u : 0u); }
  uint32_t end() const { return seq + length(); }
};

// What decoding can find. Anything but `ok` is a verdict on whoever sent the frame.
enum class Decoded : uint8_t { ok, not_tcp, malformed, bad_ip_checksum, bad_tcp_checksum };

const char* name_of(Decoded decoded);

// Writes the IPv4 and TCP part of a frame (the caller owns the Ethernet header); returns the
// frame's whole size.
unsigned encode(const Segment& segment, uint8_t* frame);

// `segment.payload` points into the frame.
Decoded decode(std::span<const uint8_t> frame, Segment& segment);

}  // namespace sluice::sim
