// SPDX-License-Identifier: BSD-3-Clause
// Moments in 32 bits: milliseconds of the worker's clock, mod 2^32.
//
// Where there are millions of them they cost half as much, and tell an age up to 49.7 days; beyond
// that one would seem new again. So each is looked at before it gets there, and one that is older
// than kStampOldestMs (24.8 days) is moved up to that age: it says "so old, or older" from then on.
// What looks, and how often at least:
//
//   Flow::last_seen_ms   the flow's timer, which no idle limit sets further ahead than 7 days
//   Flow::opened_ms      the same
//   PortPool's records   age_ports(), each port once in kStampOldestMs
//
// Not in here: Flow::healed_ms, which is compared within a handshake alone; PassedSyn::since_ms,
// which tells 0.9 s and may take a SYN for a copy after hours; SynStore's microseconds, which count
// for handshakes up to an hour; timestamps of TCP, which are the ends' affair (RFC 7323, section
// 5.5); TimerWheel's ticks of 16 ms, which last 2.2 years and lie less than one ahead.
#pragma once

#include <cstdint>

namespace sluice {

inline constexpr uint32_t kStampOldestMs = uint32_t{1} << 31;

constexpr uint32_t stamp_age_ms(uint32_t now_ms, uint32_t stamp_ms) {
  return now_ms - stamp_ms;
}

/// The stamp, or the oldest that there is.
constexpr uint32_t stamp_kept_in_range(uint32_t now_ms, uint32_t stamp_ms) {
  return stamp_age_ms(now_ms, stamp_ms) > kStampOldestMs ? now_ms - kStampOldestMs : stamp_ms;
}

}  // namespace sluice
