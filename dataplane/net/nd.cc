// SPDX-License-Identifier: BSD-3-Clause
// Validity of ND messages, and frames built byte by byte.
#include "dataplane/net/nd.h"

namespace sluice::net {
namespace {

constexpr uint8_t kNdHopLimit = 255;  // never forwarded: from this link
constexpr uint8_t kOptionUnit = 8;
constexpr uint8_t kLinkAddressOptionLength = sizeof(LinkAddressOption) / kOptionUnit;

/// The first option of that type. False where one of the options is not valid: none may be empty or
/// reach beyond the message (RFC 4861, section 4.6).
bool read_link_address(std::span<const uint8_t> options, uint8_t type,
                       std::optional<MacAddress>& found) {
  while (!options.empty()) {
    if (options.size() < kOptionUnit) return false;
    const size_t length = size_t{options[1]} * kOptionUnit;
    if (length == 0 || length > options.size()) return false;
    if (options[0] == type && !found) {
      const auto& option = *reinterpret_cast<const LinkAddressOption*>(options.data());
      if (option.length != kLinkAddressOptionLength || option.mac.is_multicast()) return false;
      found = option.mac;
    }
    options = options.subspan(length);
  }
  return true;
}

/// RFC 4861, section 7.1.1.
bool solicitation_valid(const NdMessage& read, const Ipv6Address& source,
                        const Ipv6Address& destination) {
  if (!read.is_dad) return ipv6_source_possible(source);
  return is_solicited_node_multicast(destination) && !read.link_address;
}

/// RFC 4861, section 7.1.2.
bool advertisement_valid(const NdMessage& read, const Ipv6Address& source,
                         const Ipv6Address& destination) {
  return ipv6_source_possible(source) && !(is_multicast(destination) && read.is_solicited);
}

struct NdFrame {
  EthernetHeader ethernet;
  Ipv6Header ip;
  NeighbourMessage message;
  LinkAddressOption option;
};
static_assert(sizeof(NdFrame) == kNdFrameLengthMax);

/// What `wanted` has so far, with lengths and checksum; without the option where it has no type.
uint16_t finish_nd(std::span<uint8_t> frame, NdFrame wanted, MacAddress to, MacAddress our_mac,
                   const Ipv6Address& source, const Ipv6Address& destination) {
  constexpr size_t kMessageAt = offsetof(NdFrame, message);
  const bool has_option = wanted.option.type != 0;
  const size_t length = has_option ? sizeof wanted : offsetof(NdFrame, option);
  wanted.option.length = kLinkAddressOptionLength;
  wanted.option.mac = our_mac;
  wanted.ethernet = {to, our_mac, kEtherTypeIpv6};
  wanted.ip = make_ipv6_header(kProtocolIcmpv6, static_cast<uint16_t>(length - kMessageAt),
                               kNdHopLimit, source, destination);
  std::memcpy(frame.data(), &wanted, length);
  auto& message = *reinterpret_cast<NeighbourMessage*>(frame.data() + kMessageAt);
  message.checksum = checksum_of(source, destination, kProtocolIcmpv6,
                                 frame.subspan(kMessageAt, length - kMessageAt));
  return static_cast<uint16_t>(length);
}

}  // namespace

std::optional<NdMessage> read_nd(std::span<const uint8_t> icmpv6, uint8_t hop_limit,
                                 const Ipv6Address& source, const Ipv6Address& destination) {
  if (icmpv6.size() < sizeof(Icmpv6Header) || hop_limit != kNdHopLimit || icmpv6[1] != 0) return {};
  NdMessage read;
  const uint8_t type = icmpv6[0];
  const bool is_solicitation = type == icmpv6_type::kNeighbourSolicitation;
  if (!is_solicitation && type != icmpv6_type::kNeighbourAdvertisement) return read;

  if (icmpv6.size() < sizeof(NeighbourMessage)) return {};
  const auto& message = *reinterpret_cast<const NeighbourMessage*>(icmpv6.data());
  read.target = message.target;
  if (is_multicast(read.target) ||
      !read_link_address(
          icmpv6.subspan(sizeof message),
          is_solicitation ? nd_option::kSourceLinkAddress : nd_option::kTargetLinkAddress,
          read.link_address)) {
    return {};
  }
  if (is_solicitation) {
    read.type = NdType::kSolicitation;
    read.is_dad = is_unspecified(source);
    if (!solicitation_valid(read, source, destination)) return {};
    return read;
  }
  const uint32_t flags = message.flags.host();
  read.type = NdType::kAdvertisement;
  read.is_router = (flags & nd_flag::kRouter) != 0;
  read.is_solicited = (flags & nd_flag::kSolicited) != 0;
  read.overrides = (flags & nd_flag::kOverride) != 0;
  if (!advertisement_valid(read, source, destination)) return {};
  return read;
}

uint16_t write_solicitation(std::span<uint8_t> frame, MacAddress our_mac, const Ipv6Address& source,
                            const Ipv6Address& target, std::optional<MacAddress> probed) {
  NdFrame wanted{};
  wanted.message.type = icmpv6_type::kNeighbourSolicitation;
  wanted.message.target = target;
  if (!is_unspecified(source)) wanted.option.type = nd_option::kSourceLinkAddress;
  const Ipv6Address destination = probed ? target : solicited_node_multicast(target);
  return finish_nd(frame, wanted, probed ? *probed : multicast_mac(destination), our_mac, source,
                   destination);
}

uint16_t write_advertisement(std::span<uint8_t> frame, MacAddress our_mac,
                             const Ipv6Address& target, const NdRecipient& to, bool overrides) {
  NdFrame wanted{};
  wanted.message.type = icmpv6_type::kNeighbourAdvertisement;
  wanted.message.target = target;
  wanted.message.flags = be32::from_host((is_multicast(to.ip) ? 0 : nd_flag::kSolicited) |
                                         (overrides ? nd_flag::kOverride : 0));
  wanted.option.type = nd_option::kTargetLinkAddress;
  return finish_nd(frame, wanted, to.mac, our_mac, target, to.ip);
}

}  // namespace sluice::net
