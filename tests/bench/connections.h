// SPDX-License-Identifier: BSD-3-Clause
// Connections through the rig: opened by real handshakes, their tuples read off what is sent.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/bench/rig.h"

namespace sluice::bench {

inline constexpr Numbers kSynNumbers{99, 0, 1000, 0};
inline constexpr Numbers kSynAckNumbers{499, 100, 2000, 1000};
inline constexpr Numbers kClientNumbers{100, 500, 1001, 2000};
inline constexpr Numbers kBackendNumbers{500, 100, 2001, 1001};

/// From, to: `count` times write(i, buffer) in bursts into `side`.
template <typename Write>
void send_all(Rig& rig, uint16_t side, uint32_t count, Write&& write) {
  for (uint32_t at = 0; at < count;) {
    const auto burst = static_cast<uint16_t>(std::min<uint32_t>(Rig::kBurst, count - at));
    rte_mbuf** buffers = rig.take(burst);
    for (uint16_t i = 0; i < burst; ++i) write(at + i, buffers[i]);
    rig.run(side, burst);
    rig.flush();
    at += burst;
  }
}

inline Tuple reversed(const Tuple& tuple) {
  return {tuple.destination, tuple.source};
}

/// Opens connections of clients 0 .. count-1 and returns what the backends answer with: backend to
/// local. `room` must have the capacity, so that nothing is allocated here.
inline void open_connections(Rig& rig, uint32_t count, bool timestamps, std::vector<Tuple>& room) {
  constexpr uint32_t kStep = 4096;
  const FrameTemplate syn(kSyn, timestamps, kSynNumbers, rig.is_v6(kClientSide));
  const FrameTemplate syn_ack(kSynAck, timestamps, kSynAckNumbers, rig.is_v6(kBackendSide));
  const FrameTemplate ack(kAck, timestamps, kClientNumbers, rig.is_v6(kClientSide));
  std::vector<Rig::Sent>& sent = rig.sent(kBackendSide);
  sent.reserve(kStep);
  for (uint32_t base = 0; base < count; base += kStep) {
    const uint32_t step = std::min(kStep, count - base);
    const auto in = [&](const FrameTemplate& frame) {
      return [&, base](uint32_t i, rte_mbuf* buffer) {
        frame.write(buffer, frame.prepare({client(base + i), kVip}));
      };
    };
    sent.clear();
    rig.record(kBackendSide, true);
    send_all(rig, kClientSide, step, in(syn));
    rig.record(kBackendSide, false);
    if (sent.size() != step) rig.fail_of_drops("a SYN was not forwarded");
    send_all(rig, kBackendSide, step, [&](uint32_t i, rte_mbuf* buffer) {
      syn_ack.write(buffer, syn_ack.prepare(reversed(sent[i].tuple)));
    });
    send_all(rig, kClientSide, step, in(ack));
    for (const Rig::Sent& syn_sent : sent) room.push_back(reversed(syn_sent.tuple));
    rig.tick();
  }
  if (rig.events(Event::flows_established) < count) Rig::fail("a connection was not established");
}

}  // namespace sluice::bench
