// SPDX-License-Identifier: BSD-3-Clause
// SYN cookies: a SYN-ACK whose number says all that has to be known of the SYN, so that nothing is
// kept for it.
//
// As Linux has them (net/ipv4/syncookies.c; D. J. Bernstein, 1996): the number carries an index
// into a table of segment sizes, and a keyed hash of who asked; what of RFC 7323's options and
// SACK was offered stands in the low bits of the timestamp that the client will echo. Without
// timestamps there is neither window scale nor SACK.
//
//   31 ................. 4   3                      2 .... 0
//   SipHash of the ends,     which of two secrets   segment size
//   the client's number
//
// Secrets live for 64 s each, so a cookie is good for 64 to 128 s. A guess is right once in 2^28.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/net/headers.h"
#include "dataplane/net/siphash.h"

namespace sluice::net {

/// What a client offered in its SYN, as far as a cookie holds it.
struct SynOffer {
  uint16_t mss = 536;
  bool timestamps = false;
  bool has_window_scale = false;
  uint8_t window_scale = 0;
  bool sack = false;
  bool ecn = false;
  friend bool operator==(const SynOffer&, const SynOffer&) = default;
};

/// Of a client's SYN. The size is rounded down to one that cookies have.
SynOffer read_offer(const TcpHeader& syn);

class SynCookies {
 public:
  static constexpr uint64_t kPeriodMs = 64'000;
  static constexpr std::array<uint16_t, 8> kSizes = {536, 1220, 1300, 1360, 1400, 1440, 1460, 8940};

  explicit SynCookies(const SipKey& secret) : secret_(secret) {}

  /// `ends` names client and service, in words; `isn` is the client's.
  uint32_t make(std::span<const uint64_t> ends, uint32_t isn, uint16_t mss, uint64_t now_ms);
  /// The segment size in a cookie that was made for these ends and this number, and still holds.
  std::optional<uint16_t> check(std::span<const uint64_t> ends, uint32_t isn, uint32_t cookie,
                                uint64_t now_ms);

 private:
  const SipKey& key_of(uint64_t period);
  static uint32_t hash(const SipKey& key, std::span<const uint64_t> ends, uint32_t isn,
                       uint32_t low);

  SipKey secret_;
  std::array<SipKey, 2> keys_{};
  std::array<uint64_t, 2> periods_ = {UINT64_MAX, UINT64_MAX};
};

/// The TSval of such a SYN-ACK: no later than `clock`, with the offer in its low bits. And back,
/// from what the client echoes.
uint32_t cookie_tsval(uint32_t clock, const SynOffer& offer);
void read_cookie_tsval(uint32_t tsecr, SynOffer& offer);

}  // namespace sluice::net
