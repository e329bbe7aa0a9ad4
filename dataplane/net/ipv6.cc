// SPDX-License-Identifier: BSD-3-Clause
// The walk over extension headers.
#include "dataplane/net/ipv6.h"

namespace sluice::net {
namespace {

constexpr size_t kExtensionUnit = 8;

/// Bytes of the extension header of that kind; its first two are there.
size_t extension_length(uint8_t kind, const ExtensionHeader& header) {
  if (kind == next_header::kFragment) return sizeof(Ipv6FragmentHeader);
  return (size_t{header.length} + 1) * kExtensionUnit;
}

/// RFC 8200, section 4.2. False where an option reaches beyond the header.
bool read_options(std::span<const uint8_t> options, bool& has_router_alert) {
  constexpr uint8_t kPad1 = 0, kRouterAlert = 5;
  while (!options.empty()) {
    if (options[0] == kPad1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options.size() - 2 < options[1]) return false;
    if (options[0] == kRouterAlert && options[1] == 2) has_router_alert = true;
    options = options.subspan(size_t{2} + options[1]);
  }
  return true;
}

Ipv6Fault read_extension(uint8_t kind, std::span<const uint8_t> header, Ipv6Payload& found) {
  constexpr size_t kSegmentsLeftAt = 3;
  if (kind == next_header::kRouting && header[kSegmentsLeftAt] != 0) {
    return Ipv6Fault::kRoutingSegmentsLeft;
  }
  if (kind == next_header::kFragment) {
    const auto& fragment = *reinterpret_cast<const Ipv6FragmentHeader*>(header.data());
    found.has_fragment_header = true;
    found.is_fragment = fragment.is_fragment();
    found.fragment_id = fragment.id;
  }
  if (kind == next_header::kHopByHop || kind == next_header::kDestinationOptions) {
    bool has_router_alert = false;
    if (!read_options(header.subspan(sizeof(ExtensionHeader)), has_router_alert)) {
      return Ipv6Fault::kBadOptions;
    }
    found.has_router_alert |= kind == next_header::kHopByHop && has_router_alert;
  }
  return Ipv6Fault::kNone;
}

/// A hop-by-hop header comes first or is not recognized (RFC 8200, section 4.3).
bool is_extension(uint8_t kind, bool first) {
  return (kind == next_header::kHopByHop && first) || kind == next_header::kRouting ||
         kind == next_header::kFragment || kind == next_header::kDestinationOptions;
}

Ipv6Fault upper_layer_fault(uint8_t protocol) {
  if (protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolIcmpv6) {
    return Ipv6Fault::kNone;
  }
  return protocol == next_header::kNone ? Ipv6Fault::kNoNextHeader : Ipv6Fault::kUnknownNextHeader;
}

/// The extension header at found.offset; moves on behind it.
bool pass_extension(std::span<const uint8_t> behind_header, Ipv6Payload& found) {
  const std::span<const uint8_t> rest = behind_header.subspan(found.offset);
  if (rest.size() < sizeof(ExtensionHeader)) {
    found.fault = Ipv6Fault::kTruncated;
    return false;
  }
  const auto& header = *reinterpret_cast<const ExtensionHeader*>(rest.data());
  const size_t length = extension_length(found.protocol, header);
  if (found.offset + length > kExtensionBytesMax) {
    found.fault = Ipv6Fault::kTooManyHeaders;
  } else if (length > rest.size()) {
    found.fault = Ipv6Fault::kTruncated;
  } else {
    found.fault = read_extension(found.protocol, rest.first(length), found);
  }
  if (found.fault != Ipv6Fault::kNone) return false;
  found.named_at = static_cast<uint16_t>(sizeof(Ipv6Header) + found.offset);
  found.protocol = header.next_header;
  found.offset = static_cast<uint16_t>(found.offset + length);
  return true;
}

}  // namespace

Ipv6Payload find_upper_layer(const Ipv6Header& ip, std::span<const uint8_t> behind_header) {
  Ipv6Payload found;
  found.protocol = ip.next_header;
  found.named_at = offsetof(Ipv6Header, next_header);
  for (uint8_t count = 0; is_extension(found.protocol, count == 0); ++count) {
    if (count == kExtensionHeadersMax) {
      found.fault = Ipv6Fault::kTooManyHeaders;
      return found;
    }
    if (!pass_extension(behind_header, found) || found.is_fragment) return found;
  }
  found.fault = upper_layer_fault(found.protocol);
  return found;
}

}  // namespace sluice::net
