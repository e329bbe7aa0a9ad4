// SPDX-License-Identifier: BSD-3-Clause
// Open connections in a rig, and packets of theirs in both directions.
//
// Which packet comes next is drawn beforehand into streams, one a direction, that are read in
// order: the generator has no cache miss of its own. Rounds with and without the pipeline
// alternate.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/draw.h"
#include "tests/bench/figures.h"

namespace sluice::bench {

class Established {
 public:
  Established(const Options& options, const RigOptions& rig_options)
      : rig_(rig_options),
        inbound_(kData, options.timestamps, kClientNumbers, rig_.is_v6(kClientSide)),
        outbound_(kData, options.timestamps, kBackendNumbers, rig_.is_v6(kBackendSide)) {
    std::vector<Tuple> answers;
    answers.reserve(options.flows);
    open_connections(rig_, options.flows, options.timestamps, answers);
    Draw draw(options.flows, options.zipf);
    picks_ = std::clamp(options.flows, kPicksMin, kPicksMax) / Rig::kBurst * Rig::kBurst;
    for (uint32_t i = 0; i < picks_; ++i) {
      const uint32_t flow = draw();
      to_backends_.push_back(inbound_.prepare({client(flow), kVip}));
    }
    for (uint32_t i = 0; i < picks_; ++i) to_clients_.push_back(outbound_.prepare(answers[draw()]));
  }

  enum class Way { kIn, kOut, kBoth };

  /// Ticks a packet of one round over the streams.
  [[gnu::noinline]] double round(Way way, bool pipeline) {
    rig_.pipeline = pipeline;
    const uint64_t begin = rte_rdtsc();
    for (uint32_t at = 0; at < picks_; at += Rig::kBurst) {
      if (way != Way::kOut) rig_.run(kClientSide, inbound_, &to_backends_[at]);
      if (way != Way::kIn) rig_.run(kBackendSide, outbound_, &to_clients_[at]);
      rig_.flush();
    }
    const uint64_t spent = rte_rdtsc() - begin;
    rig_.pipeline = true;
    return static_cast<double>(spent) / picks_ / (way == Way::kBoth ? 2 : 1);
  }

  uint32_t picks() const { return picks_; }
  Rig& rig() { return rig_; }

 private:
  static constexpr uint32_t kPicksMin = 1u << 16;
  static constexpr uint32_t kPicksMax = 1u << 22;

  Rig rig_;
  FrameTemplate inbound_;
  FrameTemplate outbound_;
  uint32_t picks_;
  std::vector<FrameTemplate::Prepared> to_backends_;
  std::vector<FrameTemplate::Prepared> to_clients_;
};

/// Ticks a packet of rounds with the pipeline, and of rounds without.
struct Cost {
  std::vector<double> gross;
  std::vector<double> generator;

  double net() const { return median(gross) - median(generator); }
};

}  // namespace sluice::bench
