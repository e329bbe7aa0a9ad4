// SPDX-License-Identifier: BSD-3-Clause
// Bytes of datagrams.
#include "tests/simulation/udp_wire.h"

#include <cstddef>

namespace sluice::sim {
namespace {

constexpr size_t kIp = 14, kUdp = kIp + 20, kPayload = kUdp + 8, kFrame = kPayload + 16;
constexpr uint8_t kProtocolUdp = 17;

void put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}
void put32(uint8_t* at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}
uint32_t get16(const uint8_t* at) {
  return static_cast<uint32_t>(at[0] << 8 | at[1]);
}
uint32_t get32(const uint8_t* at) {
  return get16(at) << 16 | get16(at + 2);
}

uint32_t sum(const uint8_t* at, size_t length, uint32_t from = 0) {
  for (size_t i = 0; i + 1 < length; i += 2) from += get16(at + i);
  if (length % 2 != 0) from += static_cast<uint32_t>(at[length - 1] << 8);
  return from;
}
uint32_t folded(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}
uint32_t udp_sum(const uint8_t* frame, size_t length) {
  return folded(sum(frame + kUdp, length,
                    sum(frame + kIp + 12, 8) + kProtocolUdp + static_cast<uint32_t>(length)));
}

}  // namespace

std::vector<uint8_t> frame_of(const Datagram& datagram, const uint8_t* mac) {
  constexpr size_t kLength = kFrame - kUdp;
  std::vector<uint8_t> frame(kFrame);
  uint8_t* at = frame.data();
  for (size_t i = 0; i < 6; ++i) at[i] = mac[i];
  at[6] = 2;
  put16(at + 12, 0x0800);
  at[kIp] = 0x45;
  put16(at + kIp + 2, kFrame - kIp);
  at[kIp + 8] = 64;
  at[kIp + 9] = kProtocolUdp;
  put32(at + kIp + 12, datagram.from.ip);
  put32(at + kIp + 16, datagram.to.ip);
  put16(at + kIp + 10, ~folded(sum(at + kIp, 20)) & 0xffff);
  put16(at + kUdp, datagram.from.port);
  put16(at + kUdp + 2, datagram.to.port);
  put16(at + kUdp + 4, kLength);
  put32(at + kPayload, static_cast<uint32_t>(datagram.said));
  put32(at + kPayload + 4, datagram.client.ip);
  put32(at + kPayload + 8, datagram.client.port);
  put32(at + kPayload + 12, datagram.number);
  if (datagram.has_checksum) {
    const uint32_t checksum = ~udp_sum(at, kLength) & 0xffff;
    put16(at + kUdp + 6, checksum == 0 ? 0xffff : checksum);
  }
  return frame;
}

std::optional<Datagram> datagram_of(std::span<const uint8_t> frame, bool& right) {
  const uint8_t* at = frame.data();
  if (frame.size() != kFrame || get16(at + 12) != 0x0800 || at[kIp + 9] != kProtocolUdp) return {};
  const bool has_checksum = get16(at + kUdp + 6) != 0;
  right = folded(sum(at + kIp, 20)) == 0xffff &&
          (!has_checksum || udp_sum(at, kFrame - kUdp) == 0xffff);
  return Datagram{{get32(at + kIp + 12), static_cast<uint16_t>(get16(at + kUdp))},
                  {get32(at + kIp + 16), static_cast<uint16_t>(get16(at + kUdp + 2))},
                  static_cast<Said>(get32(at + kPayload)),
                  {get32(at + kPayload + 4), static_cast<uint16_t>(get32(at + kPayload + 8))},
                  get32(at + kPayload + 12),
                  has_checksum};
}

}  // namespace sluice::sim
