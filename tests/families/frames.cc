// SPDX-License-Identifier: BSD-3-Clause
// Frames of the other family.
#include <cstring>

#include "tests/families/families.h"

namespace sluice::test {
namespace {

constexpr size_t kEthernet = 14, kIpv4 = 20, kIpv6 = 40, kArp = 28, kIcmp = 8;
constexpr uint8_t kIcmpv4Number = 1, kTcpNumber = 6, kUdpNumber = 17, kIcmpv6Number = 58;
constexpr uint16_t kGrowth = kIpv6 - kIpv4;

uint16_t get16(const uint8_t* at) {
  return static_cast<uint16_t>(at[0] << 8 | at[1]);
}
void put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

/// Of 16-bit words, in host order; an odd byte counts as padded.
uint32_t sum_of(const uint8_t* at, size_t length) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < length; i += 2) sum += get16(at + i);
  if (length % 2 == 1) sum += static_cast<uint32_t>(at[length - 1] << 8);
  return sum;
}
uint16_t fold(uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// A checksum over `from` becomes one over `to`, as right or as wrong as it was.
uint16_t moved(uint16_t checksum, uint32_t from, uint32_t to) {
  const uint32_t sum =
      static_cast<uint16_t>(~checksum) + uint32_t{static_cast<uint16_t>(~fold(from))} + fold(to);
  return static_cast<uint16_t>(~fold(sum));
}

size_t checksum_at(uint8_t protocol) {
  return protocol == kTcpNumber ? 16 : protocol == kUdpNumber ? 6 : 2;
}

/// What a family's addresses add to a pseudo header; protocol and length are the same in both.
uint32_t addresses_sum(const uint8_t* ip) {
  return ip[0] >> 4 == 4 ? sum_of(ip + 12, 8) : sum_of(ip + 8, 32);
}

Frame v6_header(const uint8_t* ip4, size_t payload, uint8_t protocol) {
  Frame header(kIpv6);
  header[0] = static_cast<uint8_t>(6 << 4 | ip4[1] >> 4);
  header[1] = static_cast<uint8_t>(ip4[1] << 4);
  put16(&header[4], static_cast<uint32_t>(payload));
  header[6] = protocol;
  header[7] = ip4[8];
  for (const size_t i : {size_t{0}, size_t{1}}) {
    net::Ipv4Address ip;
    std::memcpy(&ip, ip4 + 12 + 4 * i, 4);
    const net::Ipv6Address v6 = v6_of(ip);
    std::memcpy(&header[8 + 16 * i], v6.bytes.data(), 16);
  }
  return header;
}

Frame v4_header(const uint8_t* ip6, size_t payload, uint8_t protocol) {
  Frame header(kIpv4);
  header[0] = 0x45;
  header[1] = static_cast<uint8_t>(ip6[0] << 4 | ip6[1] >> 4);
  put16(&header[2], static_cast<uint32_t>(kIpv4 + payload));
  header[6] = 0x40;  // nothing fragments IPv6 on its way
  header[8] = ip6[7];
  header[9] = protocol;
  std::memcpy(&header[12], ip6 + 20, 4);
  std::memcpy(&header[16], ip6 + 36, 4);
  put16(&header[10], static_cast<uint16_t>(~fold(sum_of(header.data(), kIpv4))));
  return header;
}

/// The transport header's checksum after its network header became another.
void fix_transport(uint8_t* l4, size_t length, uint8_t protocol, const uint8_t* before,
                   const uint8_t* after) {
  const size_t at = checksum_at(protocol);
  if (length < at + 2) return;
  const uint16_t sum = get16(l4 + at);
  if (protocol == kUdpNumber && sum == 0) {
    if (after[0] >> 4 == 4) return;
    uint32_t all = addresses_sum(after) + kUdpNumber + static_cast<uint32_t>(length);
    all += sum_of(l4, length);
    const auto made = static_cast<uint16_t>(~fold(all));
    return put16(l4 + at, made == 0 ? 0xffff : made);
  }
  const uint16_t made = moved(sum, addresses_sum(before), addresses_sum(after));
  put16(l4 + at, protocol == kUdpNumber && made == 0 ? 0xffff : made);
}

// ---- ICMP ---------------------------------------------------------------------------------------

struct IcmpKind {
  uint8_t v4_type, v4_code, v6_type, v6_code;
};
constexpr IcmpKind kIcmpKinds[] = {{8, 0, 128, 0}, {0, 0, 129, 0}, {3, 4, 2, 0}, {3, 3, 1, 4},
                                   {3, 1, 1, 0},   {11, 0, 3, 0},  {3, 0, 1, 3}, {12, 0, 4, 0},
                                   {3, 13, 1, 1},  {3, 2, 4, 1}};

bool quotes(uint8_t v4_type) {
  return v4_type == 3 || v4_type == 11 || v4_type == 12;
}

/// The quoted packet in the other family; its transport checksum is left as it is, as nobody reads
/// it.
Frame quoted_in_v6(const uint8_t* ip4, size_t length) {
  const size_t header = static_cast<size_t>(ip4[0] & 15) * 4;
  if (length < header) return Frame(ip4, ip4 + length);
  Frame made = v6_header(ip4, get16(ip4 + 2) - header, ip4[9]);
  made.insert(made.end(), ip4 + header, ip4 + length);
  return made;
}
Frame quoted_in_v4(const uint8_t* ip6, size_t length) {
  if (length < kIpv6) return Frame(ip6, ip6 + length);
  Frame made = v4_header(ip6, get16(ip6 + 4), ip6[6]);
  made.insert(made.end(), ip6 + kIpv6, ip6 + length);
  return made;
}

/// The checksum of all of `icmp`, its own field zero; one off where `wrong`.
void close_icmp(Frame& icmp, uint32_t pseudo, bool wrong) {
  put16(&icmp[2], 0);
  const uint32_t sum = pseudo + sum_of(icmp.data(), icmp.size());
  put16(&icmp[2], static_cast<uint16_t>(~fold(sum)) ^ (wrong ? 1u : 0u));
}

Frame icmp_in_v6(const uint8_t* icmp, size_t length, const uint8_t* ip4) {
  Frame made(icmp, icmp + length);
  const bool wrong = fold(sum_of(icmp, length)) != 0xffff;
  for (const IcmpKind& kind : kIcmpKinds) {
    if (kind.v4_type != icmp[0] || kind.v4_code != icmp[1]) continue;
    made[0] = kind.v6_type;
    made[1] = kind.v6_code;
    break;
  }
  if (quotes(icmp[0])) {
    const uint16_t mtu = get16(icmp + 6);
    put16(&made[6], made[0] == 2 && mtu != 0 ? mtu + kGrowth : 0);
    made.resize(kIcmp);
    const Frame quoted = quoted_in_v6(icmp + kIcmp, length - kIcmp);
    made.insert(made.end(), quoted.begin(), quoted.end());
  }
  const Frame header = v6_header(ip4, made.size(), kIcmpv6Number);
  close_icmp(made,
             addresses_sum(header.data()) + kIcmpv6Number + static_cast<uint32_t>(made.size()),
             wrong);
  return made;
}

Frame icmp_in_v4(const uint8_t* icmp, size_t length, const uint8_t* ip6) {
  Frame made(icmp, icmp + length);
  const bool wrong = fold(addresses_sum(ip6) + kIcmpv6Number + static_cast<uint32_t>(length) +
                          sum_of(icmp, length)) != 0xffff;
  for (const IcmpKind& kind : kIcmpKinds) {
    if (kind.v6_type != icmp[0] || kind.v6_code != icmp[1]) continue;
    made[0] = kind.v4_type;
    made[1] = kind.v4_code;
    break;
  }
  if (icmp[0] < 128) {
    const uint16_t mtu = get16(icmp + 6);
    put16(&made[4], 0);
    put16(&made[6], icmp[0] == 2 ? mtu - kGrowth : 0);
    made.resize(kIcmp);
    const Frame quoted = quoted_in_v4(icmp + kIcmp, length - kIcmp);
    made.insert(made.end(), quoted.begin(), quoted.end());
  }
  close_icmp(made, 0, wrong);
  return made;
}

// ---- neighbours ---------------------------------------------------------------------------------

constexpr uint8_t kSolicitation = 135, kAdvertisement = 136;
constexpr uint8_t kAllNodes[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

void append(Frame& to, const uint8_t* begin, size_t length) {
  to.insert(to.end(), begin, begin + length);
}

/// Ethernet, IPv6 and a neighbour message about `target` with a link address.
Frame neighbour_frame(const uint8_t* to_mac, const uint8_t* mac, const net::Ipv6Address& source,
                      const uint8_t* destination, uint8_t type, uint8_t flags,
                      const net::Ipv6Address& target) {
  Frame frame;
  append(frame, to_mac, 6);
  append(frame, mac, 6);
  frame.insert(frame.end(), {0x86, 0xdd, 0x60, 0, 0, 0, 0, 32, kIcmpv6Number, 255});
  append(frame, source.bytes.data(), 16);
  append(frame, destination, 16);
  Frame icmp = {type, 0, 0, 0, flags, 0, 0, 0};
  append(icmp, target.bytes.data(), 16);
  icmp.push_back(type == kSolicitation ? 1 : 2);
  icmp.push_back(1);
  append(icmp, mac, 6);
  close_icmp(icmp, addresses_sum(&frame[kEthernet]) + kIcmpv6Number + 32, false);
  append(frame, icmp.data(), icmp.size());
  return frame;
}

Frame arp_in_v6(std::span<const uint8_t> frame) {
  const uint8_t* arp = &frame[kEthernet];
  net::Ipv4Address sender, target;
  std::memcpy(&sender, arp + 14, 4);
  std::memcpy(&target, arp + 24, 4);
  const net::Ipv6Address from = v6_of(sender), about = v6_of(target);
  const bool is_request = get16(arp + 6) == 1;
  const uint8_t to_all[6] = {0x33, 0x33, 0, 0, 0, 1};
  if (sender == target) {
    return neighbour_frame(to_all, arp + 8, from, kAllNodes, kAdvertisement, 0x20, from);
  }
  if (!is_request) {
    return neighbour_frame(&frame[0], arp + 8, from, about.bytes.data(), kAdvertisement, 0x60,
                           from);
  }
  if ((frame[0] & 1) == 0) {
    return neighbour_frame(&frame[0], arp + 8, from, about.bytes.data(), kSolicitation, 0, about);
  }
  const uint8_t* b = about.bytes.data();
  const uint8_t group_mac[6] = {0x33, 0x33, 0xff, b[13], b[14], b[15]};
  const uint8_t group[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, b[13], b[14], b[15]};
  return neighbour_frame(group_mac, arp + 8, from, group, kSolicitation, 0, about);
}

std::optional<Frame> neighbour_in_v4(std::span<const uint8_t> frame) {
  const uint8_t* ip = &frame[kEthernet];
  const uint8_t* icmp = ip + kIpv6;
  const bool is_solicitation = icmp[0] == kSolicitation;
  if (std::memcmp(ip + 8, net::Ipv6Address{}.bytes.data(), 16) == 0) return std::nullopt;
  const bool is_group = (frame[0] & 1) != 0;
  Frame made(frame.begin(), frame.begin() + kEthernet);
  if (is_group) std::memset(made.data(), 0xff, 6);
  put16(&made[12], 0x0806);
  made.insert(made.end(), {0, 1, 8, 0, 6, 4, 0});
  made.push_back(is_solicitation || is_group ? 1 : 2);
  append(made, frame.size() >= kEthernet + kIpv6 + 32 ? icmp + 26 : &frame[6], 6);
  append(made, is_solicitation ? ip + 20 : icmp + 20, 4);
  Frame target_mac(6);
  if (!is_group) std::memcpy(target_mac.data(), frame.data(), 6);
  append(made, target_mac.data(), 6);
  append(made, is_solicitation || is_group ? icmp + 20 : ip + 36, 4);
  return made;
}

// ---- fragments ----------------------------------------------------------------------------------

constexpr size_t kFragmentHeader = 8;
constexpr uint8_t kFragmentNumber = 44;

bool is_fragment4(const uint8_t* ip) {
  return (get16(ip + 6) & 0x3fff) != 0;
}

/// The transport checksum, which the first fragment has, is moved without the rest.
Frame fragment_in_v6(std::span<const uint8_t> frame, size_t header, size_t total) {
  const uint8_t* ip = frame.data() + kEthernet;
  const uint16_t field = get16(ip + 6);
  Frame payload(ip + header, ip + total);
  const Frame network = v6_header(ip, kFragmentHeader + payload.size(), kFragmentNumber);
  if ((field & 0x1fff) == 0) {
    fix_transport(payload.data(), payload.size(), ip[9], ip, network.data());
  }
  Frame made(frame.begin(), frame.begin() + kEthernet);
  put16(&made[12], 0x86dd);
  append(made, network.data(), network.size());
  const auto place = static_cast<uint16_t>(field << 3 | field >> 13);
  made.insert(made.end(), {ip[9], 0, static_cast<uint8_t>(place >> 8), static_cast<uint8_t>(place),
                           0, 0, ip[4], ip[5]});
  append(made, payload.data(), payload.size());
  return made;
}

Frame fragment_in_v4(std::span<const uint8_t> frame) {
  const uint8_t* ip = frame.data() + kEthernet;
  const uint8_t* fragment = ip + kIpv6;
  const uint16_t place = get16(fragment + 2);
  Frame payload(fragment + kFragmentHeader, frame.data() + frame.size());
  Frame header = v4_header(ip, payload.size(), fragment[0]);
  header[4] = fragment[6];
  header[5] = fragment[7];
  put16(&header[6], static_cast<uint16_t>(place >> 3 | (place & 1) << 13));
  put16(&header[10], 0);
  put16(&header[10], static_cast<uint16_t>(~fold(sum_of(header.data(), kIpv4))));
  if (place >> 3 == 0) {
    fix_transport(payload.data(), payload.size(), fragment[0], ip, header.data());
  }
  Frame made(frame.begin(), frame.begin() + kEthernet);
  put16(&made[12], 0x0800);
  append(made, header.data(), header.size());
  append(made, payload.data(), payload.size());
  return made;
}

}  // namespace

Frame to_v6(std::span<const uint8_t> frame) {
  if (frame.size() < kEthernet) return Frame(frame.begin(), frame.end());
  const uint16_t type = get16(&frame[12]);
  if (type == 0x0806 && frame.size() >= kEthernet + kArp) return arp_in_v6(frame);
  const uint8_t* ip = frame.data() + kEthernet;
  if (type != 0x0800 || frame.size() < kEthernet + kIpv4 || ip[0] >> 4 != 4) {
    return Frame(frame.begin(), frame.end());
  }
  const size_t header = static_cast<size_t>(ip[0] & 15) * 4;
  const size_t total = std::min<size_t>(get16(ip + 2), frame.size() - kEthernet);
  if (total < header) return Frame(frame.begin(), frame.end());
  if (is_fragment4(ip)) return fragment_in_v6(frame, header, total);
  Frame payload(ip + header, ip + total);
  uint8_t protocol = ip[9];
  if (protocol == kIcmpv4Number && payload.size() >= kIcmp) {
    payload = icmp_in_v6(payload.data(), payload.size(), ip);
    protocol = kIcmpv6Number;
  }
  const Frame made_header =
      v6_header(ip, get16(ip + 2) - header + payload.size() - (total - header), protocol);
  if (protocol != kIcmpv6Number) {
    fix_transport(payload.data(), payload.size(), protocol, ip, made_header.data());
  }
  Frame made(frame.begin(), frame.begin() + kEthernet);
  put16(&made[12], 0x86dd);
  append(made, made_header.data(), made_header.size());
  append(made, payload.data(), payload.size());
  append(made, ip + total, frame.size() - kEthernet - total);  // what stands behind the packet
  return made;
}

std::optional<Frame> to_v4(std::span<const uint8_t> frame) {
  if (frame.size() < kEthernet + kIpv6 || get16(&frame[12]) != 0x86dd) {
    return Frame(frame.begin(), frame.end());
  }
  const uint8_t* ip = &frame[kEthernet];
  const uint8_t* l4 = ip + kIpv6;
  const size_t length = frame.size() - kEthernet - kIpv6;
  uint8_t protocol = ip[6];
  if (protocol == 0) return std::nullopt;  // hop by hop: a report of groups
  if (protocol == kFragmentNumber) return fragment_in_v4(frame);
  if (protocol == kIcmpv6Number && (l4[0] == kSolicitation || l4[0] == kAdvertisement)) {
    return neighbour_in_v4(frame);
  }
  Frame payload(l4, l4 + length);
  if (protocol == kIcmpv6Number) {
    payload = icmp_in_v4(l4, length, ip);
    protocol = kIcmpv4Number;
  }
  const Frame header = v4_header(ip, payload.size(), protocol);
  if (protocol != kIcmpv4Number) {
    fix_transport(payload.data(), payload.size(), protocol, ip, header.data());
  }
  Frame made(frame.begin(), frame.begin() + kEthernet);
  put16(&made[12], 0x0800);
  append(made, header.data(), header.size());
  append(made, payload.data(), payload.size());
  return made;
}

}  // namespace sluice::test
