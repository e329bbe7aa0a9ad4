// SPDX-License-Identifier: BSD-3-Clause
// Reads ICMP "fragmentation needed".
#include "tests/simulation/path_error.h"

#include "tests/simulation/wire_bytes.h"

namespace sluice::sim {
namespace {

constexpr unsigned kIcmpSize = 8;
constexpr unsigned kQuotedOfTcp = 8;  // ports and sequence number
constexpr uint8_t kIcmpProtocol = 1;
constexpr uint8_t kTcpProtocol = 6;
constexpr uint8_t kUnreachable = 3;
constexpr uint8_t kFragmentationNeeded = 4;

// Of what contains its own checksum.
bool sums_up(const uint8_t* p, unsigned size) {
  return fold(sum(p, size, 0)) == 0;
}

}  // namespace

bool decode(std::span<const uint8_t> frame, PathError& e) {
  constexpr unsigned kLeast = kEthernetSize + kIpSize + kIcmpSize + kIpSize + kQuotedOfTcp;
  if (frame.size() < kLeast || get16(&frame[12]) != 0x0800) return false;
  const uint8_t* ip = &frame[kEthernetSize];
  const unsigned total = get16(ip + 2);
  if (ip[0] != 0x45 || ip[9] != kIcmpProtocol || total > frame.size() - kEthernetSize ||
      total < kLeast - kEthernetSize || !sums_up(ip, kIpSize)) {
    return false;
  }
  const uint8_t* icmp = ip + kIpSize;
  if (icmp[0] != kUnreachable || icmp[1] != kFragmentationNeeded ||
      !sums_up(icmp, total - kIpSize)) {
    return false;
  }
  const uint8_t* quoted = icmp + kIcmpSize;
  if (quoted[0] != 0x45 || quoted[9] != kTcpProtocol || !sums_up(quoted, kIpSize)) return false;
  const uint8_t* tcp = quoted + kIpSize;
  const unsigned tcp_size = get16(quoted + 2) - kIpSize;
  const bool whole = tcp_size <= total - 2 * kIpSize - kIcmpSize;
  e.sums_up = !whole || tcp_checksum(quoted, tcp_size) == 0;
  e.to = get32(ip + 16);
  e.mtu = get16(icmp + 6);
  e.source = {get32(quoted + 12), get16(tcp)};
  e.destination = {get32(quoted + 16), get16(tcp + 2)};
  e.seq = get32(tcp + 4);
  return true;
}

}  // namespace sluice::sim
