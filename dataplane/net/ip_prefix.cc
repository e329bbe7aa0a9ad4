// SPDX-License-Identifier: BSD-3-Clause
// The bits of networks.
#include "dataplane/net/ip_prefix.h"

#include <algorithm>
#include <cstring>

namespace sluice::net {
namespace {

IpAddress address_from(const IpAddress& like, const std::array<uint8_t, 16>& bytes) {
  if (!like.is_v4()) return Ipv6Address{bytes};
  Ipv4Address ip{};
  std::memcpy(&ip.raw, bytes.data(), sizeof ip.raw);
  return ip;
}

// The bits of byte `index` that belong to the network.
uint8_t network_bits(unsigned length, size_t index) {
  const auto before = static_cast<unsigned>(8 * index);
  if (length >= before + 8) return 0xff;
  return length <= before ? 0 : static_cast<uint8_t>(0xff << (before + 8 - length));
}

// The prefix's address with every host bit as `host_bits` has it.
IpAddress with_host_bits(const IpPrefix& prefix, uint8_t host_bits) {
  std::array<uint8_t, 16> bytes{};
  const auto own = prefix.address.bytes();
  for (size_t i = 0; i < own.size(); ++i) {
    const uint8_t network = network_bits(prefix.length, i);
    bytes[i] = static_cast<uint8_t>((own[i] & network) | (host_bits & ~network));
  }
  return address_from(prefix.address, bytes);
}

}  // namespace

bool IpPrefix::contains(const IpAddress& ip) const {
  if (ip.is_v4() != address.is_v4()) return false;
  const auto own = address.bytes(), other = ip.bytes();
  for (size_t i = 0; 8 * i < length; ++i) {
    if (((own[i] ^ other[i]) & network_bits(length, i)) != 0) return false;
  }
  return true;
}

IpAddress IpPrefix::first() const {
  return with_host_bits(*this, 0);
}

IpAddress IpPrefix::last() const {
  return with_host_bits(*this, 0xff);
}

}  // namespace sluice::net
