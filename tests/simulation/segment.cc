// SPDX-License-Identifier: BSD-3-Clause
// Encodes and decodes segments, checksums in full, options one by one.
#include "tests/simulation/segment.h"

#include <cstring>

#include "tests/simulation/wire_bytes.h"

namespace sluice::sim {
namespace {

constexpr unsigned kTcpSize = 20;
constexpr uint16_t kIdentityExperiment = 0x51ce;  // RFC 6994 ExID

enum Option : uint8_t {
  kEnd = 0,
  kNop = 1,
  kMss = 2,
  kWindowScale = 3,
  kSackPermitted = 4,
  kSack = 5,
  kTimestamps = 8,
  kExperiment = 253,
};

void store(uint8_t* p, uint16_t machine_order) {
  std::memcpy(p, &machine_order, 2);
}

uint8_t* put_options(const Segment& s, uint8_t* p) {
  if (s.mss != 0) {
    *p++ = kMss, *p++ = 4;
    put16(p, s.mss), p += 2;
  }
  if (s.sack_permitted) *p++ = kSackPermitted, *p++ = 2;
  if (s.has_timestamps) {
    // As Linux lays them out: NOP NOP TS except on a SYN.
    if (!s.is(kSyn)) *p++ = kNop, *p++ = kNop;
    *p++ = kTimestamps, *p++ = 10;
    put32(p, s.tsval), put32(p + 4, s.tsecr), p += 8;
  }
  if (s.has_window_scale) *p++ = kNop, *p++ = kWindowScale, *p++ = 3, *p++ = s.window_scale;
  if (s.has_identity) {
    *p++ = kExperiment, *p++ = 8;
    put16(p, kIdentityExperiment), put32(p + 2, s.identity), p += 6;
  }
  if (s.sack_count != 0) {
    *p++ = kNop, *p++ = kNop, *p++ = kSack, *p++ = static_cast<uint8_t>(2 + 8 * s.sack_count);
    for (unsigned i = 0; i < s.sack_count; i++, p += 8)
      put32(p, s.sack[i].left), put32(p + 4, s.sack[i].right);
  }
  return p;
}

bool take_option(const uint8_t* p, unsigned size, Segment& s) {
  switch (p[0]) {
    case kMss:
      s.mss = get16(p + 2);
      return size == 4;
    case kWindowScale:
      s.has_window_scale = true;
      s.window_scale = p[2];
      return size == 3;
    case kSackPermitted:
      s.sack_permitted = true;
      return size == 2;
    case kTimestamps:
      if (size != 10) return false;
      s.has_timestamps = true;
      s.tsval = get32(p + 2), s.tsecr = get32(p + 6);
      return true;
    case kExperiment:
      if (size != 8 || get16(p + 2) != kIdentityExperiment) return false;
      s.has_identity = true;
      s.identity = get32(p + 4);
      return true;
    case kSack:
      if (size < 10 || (size - 2) % 8 != 0 || (size - 2) / 8 > kSackBlocksMax) return false;
      s.sack_count = static_cast<uint8_t>((size - 2) / 8);
      for (unsigned i = 0; i < s.sack_count; i++)
        s.sack[i] = {get32(p + 2 + 8 * i), get32(p + 6 + 8 * i)};
      return true;
    default:
      return false;  // nobody here sends anything else
  }
}

bool take_options(const uint8_t* p, const uint8_t* end, Segment& s) {
  while (p < end) {
    if (*p == kEnd) return true;
    if (*p == kNop) {
      p++;
      continue;
    }
    if (end - p < 2 || p[1] < 2 || p[1] > end - p || !take_option(p, p[1], s)) return false;
    p += p[1];
  }
  return true;
}

}  // namespace

const char* name_of(Decoded decoded) {
  switch (decoded) {
    case Decoded::ok:
      return "ok";
    case Decoded::not_tcp:
      return "not TCP over IPv4";
    case Decoded::malformed:
      return "malformed headers or options";
    case Decoded::bad_ip_checksum:
      return "wrong IPv4 checksum";
    case Decoded::bad_tcp_checksum:
      return "wrong TCP checksum";
  }
  return "?";
}

unsigned encode(const Segment& s, uint8_t* frame) {
  uint8_t* ip = frame + kEthernetSize;
  uint8_t* tcp = ip + kIpSize;
  uint8_t* end = put_options(s, tcp + kTcpSize);
  while ((end - tcp) % 4 != 0) *end++ = kNop;
  const auto header_size = static_cast<unsigned>(end - tcp);
  if (s.payload_size != 0) std::memcpy(end, s.payload, s.payload_size);
  const unsigned tcp_size = header_size + s.payload_size;

  ip[0] = 0x45, ip[1] = 0;
  put16(ip + 2, static_cast<uint16_t>(kIpSize + tcp_size));
  put16(ip + 4, s.ip_id);
  put16(ip + 6, 0x4000);  // don't fragment
  ip[8] = s.ttl, ip[9] = 6;
  put16(ip + 10, 0);
  put32(ip + 12, s.source.ip);
  put32(ip + 16, s.destination.ip);
  store(ip + 10, fold(sum(ip, kIpSize, 0)));

  put16(tcp, s.source.port);
  put16(tcp + 2, s.destination.port);
  put32(tcp + 4, s.seq);
  put32(tcp + 8, s.ack);
  tcp[12] = static_cast<uint8_t>(header_size / 4 << 4), tcp[13] = s.flags;
  put16(tcp + 14, s.window);
  put32(tcp + 16, 0);
  store(tcp + 16, tcp_checksum(ip, tcp_size));
  return kEthernetSize + kIpSize + tcp_size;
}

Decoded decode(std::span<const uint8_t> frame, Segment& s) {
  s = Segment{};
  if (frame.size() < kEthernetSize + kIpSize || get16(&frame[12]) != 0x0800)
    return Decoded::not_tcp;
  const uint8_t* ip = &frame[kEthernetSize];
  const unsigned total = get16(ip + 2);
  if (ip[0] != 0x45 || total > frame.size() - kEthernetSize) return Decoded::malformed;
  if (fold(sum(ip, kIpSize, 0)) != 0) return Decoded::bad_ip_checksum;
  if (ip[9] != 6) return Decoded::not_tcp;
  if (total < kIpSize + kTcpSize) return Decoded::malformed;
  const uint8_t* tcp = ip + kIpSize;
  const unsigned tcp_size = total - kIpSize;
  const unsigned header_size = (tcp[12] >> 4) * 4u;
  if (header_size < kTcpSize || header_size > tcp_size) return Decoded::malformed;
  if (tcp_checksum(ip, tcp_size) != 0) return Decoded::bad_tcp_checksum;

  s.ip_id = get16(ip + 4);
  s.ttl = ip[8];
  s.source = {get32(ip + 12), get16(tcp)};
  s.destination = {get32(ip + 16), get16(tcp + 2)};
  s.seq = get32(tcp + 4);
  s.ack = get32(tcp + 8);
  s.flags = tcp[13] & 0x3f;
  s.window = get16(tcp + 14);
  s.payload = tcp + header_size;
  s.payload_size = static_cast<uint16_t>(tcp_size - header_size);
  return take_options(tcp + kTcpSize, s.payload, s) ? Decoded::ok : Decoded::malformed;
}

}  // namespace sluice::sim
