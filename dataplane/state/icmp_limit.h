// SPDX-License-Identifier: BSD-3-Clause
// How many ICMP errors of our own go out, and to whom (RFC 1812, section 4.3.2.8).
//
// Addressees share kBuckets buckets, told apart by a keyed hash; each takes kBurst errors at once
// and one each kIntervalMs after that. So nobody gets more, all together bear a bound, and who
// provokes many takes them from few others. A bucket is the time at which it is empty again (the
// virtual scheduling algorithm of ITU-T I.371).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "dataplane/net/address.h"
#include "dataplane/net/siphash.h"

namespace sluice {

class IcmpLimit {
 public:
  static constexpr size_t kBuckets = 1024;
  static constexpr uint64_t kBurst = 10;
  static constexpr uint64_t kIntervalMs = 100;

  explicit IcmpLimit(net::SipKey key) : key_(key) {}

  /// Whether one more may go to `addressee`; if so it is counted.
  bool take(const net::IpAddress& addressee, uint64_t now_ms) {
    uint64_t& empty_ms = empty_ms_[net::siphash(key_, who(addressee)) % kBuckets];
    const uint64_t begin = std::max(empty_ms, now_ms);
    if (begin - now_ms > (kBurst - 1) * kIntervalMs) return false;
    empty_ms = begin + kIntervalMs;
    return true;
  }

 private:
  /// IPv6: a network of 64 bits is one, since a host may have all of it.
  static uint64_t who(const net::IpAddress& ip) {
    if (ip.is_v4()) return ip.v4().raw;
    return std::bit_cast<std::array<uint64_t, 2>>(ip.v6().bytes)[0];
  }

  net::SipKey key_;
  std::array<uint64_t, kBuckets> empty_ms_{};
};

}  // namespace sluice
