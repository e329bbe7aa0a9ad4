// SPDX-License-Identifier: BSD-3-Clause
// Fragment headers of IPv6.
#include "dataplane/net/ipv6_fragment.h"

#include <algorithm>
#include <cstring>

namespace sluice::net {
namespace {

constexpr uint16_t kFragmentHeaders = sizeof(Ipv6Header) + sizeof(Ipv6FragmentHeader);

uint16_t ipv6_bytes_each(uint16_t mtu) {
  constexpr uint16_t kUnit = 8;
  return mtu < kFragmentHeaders ? uint16_t{0}
                                : static_cast<uint16_t>((mtu - kFragmentHeaders) / kUnit * kUnit);
}

}  // namespace

uint16_t ipv6_fragment_count(const Ipv6Header& ip, uint16_t mtu) {
  const uint16_t each = ipv6_bytes_each(mtu);
  if (each == 0) return 0;
  return static_cast<uint16_t>((ip.payload_length.host() + each - 1) / each);
}

uint16_t write_ipv6_fragment(const Ipv6Header& ip, std::span<const uint8_t> payload, uint16_t mtu,
                             uint16_t number, uint32_t id, std::span<uint8_t> to) {
  constexpr uint16_t kMore = 1;
  const uint16_t each = ipv6_bytes_each(mtu);
  const size_t offset = size_t{number} * each;
  const size_t length = std::min<size_t>(each, payload.size() - offset);
  const bool last = offset + length == payload.size();
  auto& made = *reinterpret_cast<Ipv6Header*>(to.data());
  auto& fragment = *reinterpret_cast<Ipv6FragmentHeader*>(&made + 1);
  made = ip;
  made.next_header = next_header::kFragment;
  made.payload_length = be16::from_host(static_cast<uint16_t>(sizeof fragment + length));
  // The offset's unit is what the three low bits are free for.
  fragment = {ip.next_header, 0,
              be16::from_host(static_cast<uint16_t>(offset | (last ? 0 : kMore))),
              be32::from_host(id)};
  auto* data = reinterpret_cast<uint8_t*>(&fragment + 1);
  if (data != payload.data() + offset) std::memcpy(data, payload.data() + offset, length);
  return static_cast<uint16_t>(kFragmentHeaders + length);
}

}  // namespace sluice::net
