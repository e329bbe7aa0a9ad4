// SPDX-License-Identifier: BSD-3-Clause
// Reads and writes addresses as text.
#include "control/config/address_text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sluice::control {
namespace {

std::optional<uint32_t> parse_number(std::string_view text, uint32_t max) {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty() || value > max) return std::nullopt;
  return value;
}

}  // namespace

std::optional<net::Ipv4Address> parse_ipv4(std::string_view text) {
  in_addr wire{};
  if (text.find('\0') != text.npos || inet_pton(AF_INET, std::string(text).c_str(), &wire) != 1) {
    return std::nullopt;
  }
  return net::Ipv4Address{wire.s_addr};
}

std::optional<net::Ipv4Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  auto ip = parse_ipv4(text.substr(0, slash));
  auto length = parse_number(text.substr(slash + 1), 32);
  if (!ip || !length) return std::nullopt;
  return net::Ipv4Prefix{*ip, static_cast<uint8_t>(*length)};
}

std::optional<net::Endpoint> parse_endpoint(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  auto ip = parse_ipv4(text.substr(0, colon));
  auto port = parse_number(text.substr(colon + 1), 65535);
  if (!ip || !port || *port == 0) return std::nullopt;
  return net::Endpoint{*ip, net::be16::from_host(static_cast<uint16_t>(*port))};
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

bool looks_like_ipv6(std::string_view text) {
  std::string host(text.substr(0, text.find('/')));
  if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
  in6_addr wire{};
  return inet_pton(AF_INET6, host.c_str(), &wire) == 1;
}

net::Ipv4Prefix network_of(net::Ipv4Prefix prefix) {
  return {net::Ipv4Address::from_host(prefix.address.host() & prefix.mask()), prefix.length};
}

std::string to_string(net::Ipv4Prefix prefix) {
  return fmt::format("{}/{}", net::to_string(prefix.address), prefix.length);
}

std::string to_string(const net::MacAddress& mac) {
  return fmt::format("{:02x}", fmt::join(mac.bytes, ":"));
}

std::string to_string(PortRange range) {
  return fmt::format("{}-{}", range.first, range.last);
}

}  // namespace sluice::control
