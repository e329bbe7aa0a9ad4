// SPDX-License-Identifier: BSD-3-Clause
// Headers of the PROXY protocol: who a connection's client is, in front of all that it says.
//
// Source: "The PROXY protocol, versions 1 & 2" (haproxy.org, proxy-protocol.txt), sections 2.1 and
// 2.2. All bytes follow from the fields alone, so a header can be written again at any time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/net/address.h"
#include "dataplane/net/protocol.h"

namespace sluice::net {

enum class ProxyVersion : uint8_t { kV1 = 1, kV2 = 2 };

/// Of PP2_TYPE_UNIQUE_ID; the specification allows up to 128 bytes.
using ProxyUniqueId = std::array<uint8_t, 16>;

struct ProxyFields {
  Endpoint source;       // the client
  Endpoint destination;  // the VIP: of the same family
  Protocol protocol = Protocol::kTcp;
  ProxyUniqueId unique_id{};     // version 2 has it always, version 1 not at all
  std::string_view authority{};  // PP2_TYPE_AUTHORITY; empty: none. UTF-8
};

inline constexpr size_t kProxyAuthorityMax = 255;

/// The longest header of version 2 that is written here: of IPv6, with both TLVs.
inline constexpr size_t kProxyHeaderMax = 16 + 36 + 3 + 16 + 3 + kProxyAuthorityMax;
/// Of version 1 (section 2.1: 107 bytes at most).
inline constexpr size_t kProxyLineMax = 107;

using ProxyHeader = std::array<uint8_t, kProxyHeaderMax>;

/// How long write_proxy_header() makes it. Of version 1 this depends on the digits of addresses and
/// ports.
uint16_t proxy_header_length(ProxyVersion version, const ProxyFields& fields);

/// Writes the header of a connection; returns its length. Version 1 knows TCP alone.
uint16_t write_proxy_header(ProxyVersion version, const ProxyFields& fields, ProxyHeader& header);

/// The header of a connection of the proxy's own, such as a health check: LOCAL, or UNKNOWN.
uint16_t write_local_proxy_header(ProxyVersion version, ProxyHeader& header);

}  // namespace sluice::net
