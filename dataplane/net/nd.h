// SPDX-License-Identifier: BSD-3-Clause
// Neighbour discovery (RFC 4861): solicitations and advertisements, read and written.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/ipv6.h"

namespace sluice::net {

/// Router solicitations and advertisements and redirects are kOther.
enum class NdType : uint8_t { kSolicitation, kAdvertisement, kOther };

struct NdMessage {
  NdType type = NdType::kOther;
  bool is_dad = false;  // a solicitation from :: (RFC 4862, section 5.4.2)
  // Flags of an advertisement.
  bool is_router = false;
  bool is_solicited = false;
  bool overrides = false;
  Ipv6Address target{};
  /// The sender's, in a solicitation; the target's, in an advertisement.
  std::optional<MacAddress> link_address;
};

/// Whether ICMPv6 of that type is for read_nd().
constexpr bool is_nd(uint8_t type) {
  return type >= icmpv6_type::kRouterSolicitation && type <= icmpv6_type::kRedirect;
}

/// Reads a message that is valid by RFC 4861, sections 7.1.1 and 7.1.2; nothing otherwise. The
/// caller has looked at the checksum, as of all of ICMPv6, and at fragment headers, which none may
/// have (RFC 6980, section 5). Refused beside what the RFC says: group addresses as MACs, and
/// sources that cannot be. Of kOther only hop limit and code are looked at.
std::optional<NdMessage> read_nd(std::span<const uint8_t> icmpv6, uint8_t hop_limit,
                                 const Ipv6Address& source, const Ipv6Address& destination);

inline constexpr uint16_t kNdFrameLengthMax = sizeof(EthernetHeader) + sizeof(Ipv6Header) +
                                              sizeof(NeighbourMessage) + sizeof(LinkAddressOption);

/// Asks who has `target`, in a whole frame; returns its length. To the solicited-node group, or, to
/// probe a neighbour that is known, to its MAC (RFC 4861, sections 4.3 and 7.2.2). From :: for
/// duplicate address detection, which carries no MAC (RFC 4862, section 5.4.2).
uint16_t write_solicitation(std::span<uint8_t> frame, MacAddress our_mac, const Ipv6Address& source,
                            const Ipv6Address& target, std::optional<MacAddress> probed = {});

/// Whom an advertisement goes to.
struct NdRecipient {
  Ipv6Address ip;
  MacAddress mac;
};
/// Everybody: of an announcement (RFC 4861, section 7.2.6).
inline constexpr NdRecipient kNdEverybody{kAllNodes, multicast_mac(kAllNodes)};

/// Who asked; everybody where that was duplicate address detection (RFC 4861, section 7.2.4).
constexpr NdRecipient nd_answer_to(const Ipv6Address& asked_from, MacAddress mac) {
  return is_unspecified(asked_from) ? kNdEverybody : NdRecipient{asked_from, mac};
}

/// Says that `our_mac` has `target`, and from there, in a whole frame of kNdFrameLengthMax bytes.
/// Solicited as far as it goes to one (RFC 4861, sections 4.4, 7.2.4 and 7.2.6). `overrides`: the
/// entry that others have is to be replaced.
uint16_t write_advertisement(std::span<uint8_t> frame, MacAddress our_mac,
                             const Ipv6Address& target, const NdRecipient& to, bool overrides);

}  // namespace sluice::net
