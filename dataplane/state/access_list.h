// SPDX-License-Identifier: BSD-3-Clause
// Who may begin a flow, by prefixes of either family.
//
// The longest prefix that holds a source decides, so that either list may have exceptions in the
// other; of equal ones the denial does. Where there is a list of those who may, nobody else may.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/net/address.h"
#include "dataplane/state/address_key.h"
#include "dataplane/state/route_table.h"

namespace sluice {

enum class Access : uint8_t {
  kGranted,
  kDenied,      // by a prefix
  kNotAllowed,  // by none
};

class AccessList {
 public:
  struct Prefixes {
    std::vector<net::Ipv4Prefix> v4;
    std::vector<net::Ipv6Prefix> v6;
  };

  /// `has_allowed`: there is a list of those who may, though it may be empty; then nobody else may.
  AccessList(const Prefixes& allow, const Prefixes& deny, bool has_allowed)
      : v4_(allow.v4, deny.v4), v6_(allow.v6, deny.v6), has_allowed_(has_allowed) {}

  Access look_up(net::Ipv4Address ip) const { return meaning_of(v4_.find(ip)); }
  Access look_up(const net::Ipv6Address& ip) const { return meaning_of(v6_.find(ip)); }

  Access look_up(const net::IpAddress& ip) const {
    return ip.is_v4() ? look_up(ip.v4()) : look_up(ip.v6());
  }

  size_t bytes() const { return v4_.table.bytes() + v6_.table.bytes(); }

 private:
  enum class Found : uint8_t { kNothing, kAllow, kDeny };

  template <class Address>
  struct Table {
    using Prefix = net::Prefix<Address>;

    // Of equal prefixes the first counts.
    static std::vector<Prefix> joined(std::span<const Prefix> deny, std::span<const Prefix> allow) {
      std::vector<Prefix> all(deny.begin(), deny.end());
      all.insert(all.end(), allow.begin(), allow.end());
      return all;
    }
    Table(std::span<const Prefix> allow, std::span<const Prefix> deny)
        : table(joined(deny, allow)), deny_count(static_cast<uint32_t>(deny.size())) {}

    Found find(const Address& ip) const {
      const uint32_t found = table.find(ip);
      if (found == table.kNone) return Found::kNothing;
      return found < deny_count ? Found::kDeny : Found::kAllow;
    }

    RouteTable<Address> table;
    uint32_t deny_count;
  };

  Access meaning_of(Found found) const {
    if (found == Found::kDeny) return Access::kDenied;
    return found == Found::kNothing && has_allowed_ ? Access::kNotAllowed : Access::kGranted;
  }

  Table<net::Ipv4Address> v4_;
  Table<net::Ipv6Address> v6_;
  bool has_allowed_;
};

}  // namespace sluice
