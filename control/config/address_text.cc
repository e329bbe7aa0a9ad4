// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes addresses as text.
#include "control/config/address_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace sluice::control {
namespace {

std::optional<uint32_t> parse_number(std::string_view text, uint32_t max) {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty() || value > max) return std::nullopt;
  return value;
}

std::optional<net::Ipv6Address> parse_ipv6(std::string_view text) {
  net::Ipv6Address ip;
  if (text.find('\0') != text.npos ||
      inet_pton(AF_INET6, std::string(text).c_str(), ip.bytes.data()) != 1) {
    return std::nullopt;
  }
  return ip;
}

// The IPv4 address that an IPv4-mapped one names (RFC 4291 section 2.5.5.2). It is a second name of
// the same host, which would make two identities of it, so it is not taken.
std::optional<net::Ipv4Address> mapped_ipv4(const net::Ipv6Address& ip) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (!std::equal(kMapped.begin(), kMapped.end(), ip.bytes.begin())) return std::nullopt;
  net::Ipv4Address v4{};
  std::memcpy(&v4, ip.bytes.data() + kMapped.size(), sizeof v4);
  return v4;
}

// "[fd00::1]:80" in its parts, "fd00::1" and "80".
struct HostAndPort {
  std::string_view host, port;
  bool in_brackets;
};
std::optional<HostAndPort> split_endpoint(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find("]:");
    if (end == text.npos) return std::nullopt;
    return HostAndPort{text.substr(1, end - 1), text.substr(end + 2), true};
  }
  const size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1), false};
}

}  // namespace

// ---- reading -----------------------------------------------------------------------------------

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.find(':') != text.npos) {
    const auto ip = parse_ipv6(text);
    if (!ip || mapped_ipv4(*ip)) return std::nullopt;
    return *ip;
  }
  net::Ipv4Address ip{};
  if (text.find('\0') != text.npos || inet_pton(AF_INET, std::string(text).c_str(), &ip.raw) != 1) {
    return std::nullopt;
  }
  return ip;
}

std::optional<IpPrefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const auto length = parse_number(text.substr(slash + 1), ip->bit_count());
  if (!length) return std::nullopt;
  return IpPrefix{*ip, static_cast<uint8_t>(*length)};
}

std::optional<IpEndpoint> parse_endpoint(std::string_view text) {
  const auto parts = split_endpoint(text);
  if (!parts) return std::nullopt;
  const auto ip = parse_ip(parts->host);
  const auto port = parse_number(parts->port, 65535);
  if (!ip || ip->is_v4() == parts->in_brackets || !port || *port == 0) return std::nullopt;
  return IpEndpoint{*ip, net::be16::from_host(static_cast<uint16_t>(*port))};
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  auto first = parse_number(text.substr(0, dash), 65535);
  auto last = parse_number(text.substr(dash + 1), 65535);
  if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
  return PortRange{static_cast<uint16_t>(*first), static_cast<uint16_t>(*last)};
}

std::optional<net::MacAddress> parse_mac(std::string_view text) {
  constexpr size_t kLength = 17;
  net::MacAddress mac;
  if (text.size() != kLength) return std::nullopt;
  for (size_t i = 0; i < mac.bytes.size(); ++i) {
    const std::string_view part = text.substr(3 * i, 2);
    uint32_t byte = 0;
    auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), byte, 16);
    if (error != std::errc{} || stop != part.data() + part.size()) return std::nullopt;
    if (i > 0 && text[3 * i - 1] != ':') return std::nullopt;
    mac.bytes[i] = static_cast<uint8_t>(byte);
  }
  return mac;
}

std::string near_miss(std::string_view text) {
  std::string_view host = text.substr(0, text.find('/'));
  if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
  const size_t zone = host.find('%');
  const auto ip = parse_ipv6(host.substr(0, zone));
  if (!ip) return "";
  if (zone != host.npos) return "without a zone";
  const auto v4 = mapped_ipv4(*ip);
  return v4 ? fmt::format("IPv4-mapped: write {}", net::to_string(*v4)) : "";
}

// ---- writing -----------------------------------------------------------------------------------

std::string to_string(const IpPrefix& prefix) {
  return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

std::string to_string(const net::MacAddress& mac) {
  return fmt::format("{:02x}", fmt::join(mac.bytes, ":"));
}

std::string to_string(PortRange range) {
  return fmt::format("{}-{}", range.first, range.last);
}

}  // namespace sluice::control
