// SPDX-License-Identifier: BSD-3-Clause
// Sends the flood, and answers for those of its sources that exist.
#include "tests/simulation/flood.h"

#include "tests/simulation/time_wait.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kCopyAfterMs = 600;

// Two draws for each number, each with a salt of its own.
bool is_one_of(uint32_t number, uint64_t salt, uint32_t ppm) {
  return mix(number * 2ull + salt) % 1'000'000 < ppm;
}

}  // namespace

void Flood::tick() {
  for (uint32_t i = 0; i < scenario_.flood_per_ms; i++) {
    const uint32_t ago = kCopyAfterMs * scenario_.flood_per_ms;
    const bool copies = next_ - first_ >= ago;
    if (copies && is_one_of(next_ - ago, 1, scenario_.flood_copies_ppm)) send(next_ - ago);
    send(next_++);
  }
}

void Flood::send(uint32_t number) {
  Segment s;
  s.source = {kSpoofedNetwork | (number & 0xffff), static_cast<uint16_t>(1024 + (number >> 16))};
  s.destination = site_.vip;
  s.seq = spoofed_isn(number);
  s.flags = kSyn;
  s.mss = kMssOfAll;
  s.has_identity = true;
  s.identity = kSpoofedBit | number;
  network_.from_client(s, kNobody);
}

void Flood::receive(const Segment& s) {
  if (s.is(kRst) || !is_one_of(spoofed_number(s.destination), 0, scenario_.flood_resets_ppm))
    return;
  network_.from_client(reset_for(s), kNobody);
}

}  // namespace sluice::sim
