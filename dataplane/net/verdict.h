// SPDX-License-Identifier: BSD-3-Clause
// What became of a packet: one byte, which every stage returns.
#pragma once

#include <cstdint>

#include "dataplane/net/drop_reason.h"

namespace sluice::net {

/// Where a packet is that was not dropped.
enum class Fate : uint8_t {
  kSent = 0xf0,  // queued for a port
  kWaiting,      // until its next hop has answered ARP
  kHandedOff,    // to the worker that it belongs to
  kToKernel,
  kConsumed,  // it was for us, and its buffer is freed
  kHeld,      // a fragment, until its datagram is whole
};
static_assert(kDropReasonCount <= static_cast<size_t>(Fate::kSent));

/// A packet that passed belongs to whoever has it now; one that is to be dropped stays with the
/// caller.
class [[nodiscard]] Verdict {
 public:
  constexpr Verdict(DropReason reason) : value_(static_cast<uint8_t>(reason)) {}  // NOLINT: meant
  constexpr Verdict(Fate fate) : value_(static_cast<uint8_t>(fate)) {}            // NOLINT: meant
  /// Of a check that found nothing wrong.
  static constexpr Verdict pass() { return Fate::kSent; }

  constexpr bool passed() const { return value_ >= static_cast<uint8_t>(Fate::kSent); }
  constexpr Fate fate() const { return static_cast<Fate>(value_); }                // if passed()
  constexpr DropReason reason() const { return static_cast<DropReason>(value_); }  // if not
  friend constexpr bool operator==(Verdict, Verdict) = default;

 private:
  uint8_t value_;
};

}  // namespace sluice::net
