// SPDX-License-Identifier: BSD-3-Clause
// Making cookies, and reading them.
#include "dataplane/net/syn_cookie.h"

#include <algorithm>
#include <cstring>

#include "dataplane/net/tcp_options.h"

namespace sluice::net {
namespace {

constexpr uint32_t kSizeMask = 7, kParity = 8, kLowMask = 15;
constexpr uint32_t kScaleMask = 15, kNoScale = 15, kSackBit = 16, kEcnBit = 32, kOfferMask = 63;

uint8_t size_index(uint16_t mss) {
  const auto above = std::ranges::upper_bound(SynCookies::kSizes, mss);
  const auto index = above - SynCookies::kSizes.begin();
  return static_cast<uint8_t>(index > 0 ? index - 1 : 0);
}

}  // namespace

SynOffer read_offer(const TcpHeader& syn) {
  const TcpOptions options = parse_tcp_options(syn);
  SynOffer offer;
  if (options.mss_offset != 0) {
    be16 mss;
    std::memcpy(&mss, reinterpret_cast<const uint8_t*>(&syn) + options.mss_offset, sizeof mss);
    offer.mss = SynCookies::kSizes[size_index(mss.host())];
  }
  offer.timestamps = options.has_timestamps();
  if (!offer.timestamps) return offer;
  offer.has_window_scale = options.has_window_scale;
  offer.window_scale = options.window_scale;
  offer.sack = options.sack_permitted;
  offer.ecn = (syn.flags & (tcp_flag::kEce | tcp_flag::kCwr)) == (tcp_flag::kEce | tcp_flag::kCwr);
  return offer;
}

const SipKey& SynCookies::key_of(uint64_t period) {
  const size_t slot = period & 1;
  if (periods_[slot] != period) {
    periods_[slot] = period;
    keys_[slot] = {siphash(secret_, 2 * period), siphash(secret_, 2 * period + 1)};
  }
  return keys_[slot];
}

uint32_t SynCookies::hash(const SipKey& key, std::span<const uint64_t> ends, uint32_t isn,
                          uint32_t low) {
  uint64_t sum = uint64_t{isn} << 32 | low;
  for (const uint64_t word : ends) sum = siphash({key[0], key[1] ^ sum}, word);
  return static_cast<uint32_t>(sum) & ~kLowMask;
}

uint32_t SynCookies::make(std::span<const uint64_t> ends, uint32_t isn, uint16_t mss,
                          uint64_t now_ms) {
  const uint64_t period = now_ms / kPeriodMs;
  const uint32_t low = size_index(mss) | ((period & 1) != 0 ? kParity : 0);
  return hash(key_of(period), ends, isn, low) | low;
}

std::optional<uint16_t> SynCookies::check(std::span<const uint64_t> ends, uint32_t isn,
                                          uint32_t cookie, uint64_t now_ms) {
  uint64_t period = now_ms / kPeriodMs;
  if (((period & 1) != 0) != ((cookie & kParity) != 0)) {
    if (period == 0) return {};
    --period;
  }
  const uint32_t low = cookie & kLowMask;
  if ((hash(key_of(period), ends, isn, low) | low) != cookie) return {};
  return kSizes[cookie & kSizeMask];
}

uint32_t cookie_tsval(uint32_t clock, const SynOffer& offer) {
  const uint32_t bits = (offer.has_window_scale ? offer.window_scale : kNoScale) |
                        (offer.sack ? kSackBit : 0) | (offer.ecn ? kEcnBit : 0);
  const uint32_t tsval = (clock & ~kOfferMask) | bits;
  return static_cast<int32_t>(tsval - clock) > 0 ? tsval - (kOfferMask + 1) : tsval;
}

void read_cookie_tsval(uint32_t tsecr, SynOffer& offer) {
  offer.timestamps = true;
  offer.window_scale = static_cast<uint8_t>(tsecr & kScaleMask);
  offer.has_window_scale = offer.window_scale != kNoScale;
  if (!offer.has_window_scale) offer.window_scale = 0;
  offer.sack = (tsecr & kSackBit) != 0;
  offer.ecn = (tsecr & kEcnBit) != 0;
}

}  // namespace sluice::net
