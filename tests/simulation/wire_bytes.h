// SPDX-License-Identifier: BSD-3-Clause
// Numbers on the wire, big-endian at any address, and the sums over them.
#pragma once

#include <cstdint>
#include <cstring>

namespace sluice::sim {

constexpr unsigned kIpSize = 20;  // without options; nobody here has any

inline void put16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}

inline void put32(uint8_t* p, uint32_t v) {
  put16(p, static_cast<uint16_t>(v >> 16));
  put16(p + 2, static_cast<uint16_t>(v));
}

inline uint16_t get16(const uint8_t* p) {
  return static_cast<uint16_t>(p[0] << 8 | p[1]);
}

inline uint32_t get32(const uint8_t* p) {
  return uint32_t{get16(p)} << 16 | get16(p + 2);
}

// Sums in machine order: the ones' complement sum is the same in either byte order (RFC 1071).
inline uint64_t sum(const uint8_t* p, unsigned size, uint64_t total) {
  for (; size >= 4; p += 4, size -= 4) {
    uint32_t word;
    std::memcpy(&word, p, 4);
    total += word;
  }
  if (size >= 2) {
    uint16_t half;
    std::memcpy(&half, p, 2);
    total += half;
    p += 2;
    size -= 2;
  }
  return size != 0 ? total + *p : total;
}

inline uint16_t fold(uint64_t total) {
  while (total >> 16 != 0) total = (total & 0xffff) + (total >> 16);
  return static_cast<uint16_t>(~total);
}

// Of the TCP behind an IPv4 header; zero where it holds its own, right checksum.
inline uint16_t tcp_checksum(const uint8_t* ip, unsigned tcp_size) {
  const uint8_t pseudo[4] = {0, 6, static_cast<uint8_t>(tcp_size >> 8),
                             static_cast<uint8_t>(tcp_size)};
  return fold(sum(ip + kIpSize, tcp_size, sum(ip + 12, 8, sum(pseudo, 4, 0))));
}

}  // namespace sluice::sim
