// SPDX-License-Identifier: BSD-3-Clause
// What a packet of an open connection costs, by how many there are and how they are chosen.
//
// Which packet comes next is drawn beforehand into streams, one a direction, that are read in order:
// the generator has no cache miss of its own. Rounds with and without the pipeline alternate.
#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/draw.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

constexpr uint32_t kPicksMin = 1u << 16;
constexpr uint32_t kPicksMax = 1u << 22;

class Established {
 public:
  explicit Established(const Options& options)
      : rig_(room_for(options.flows)),
        inbound_(kData, options.timestamps, kClientNumbers),
        outbound_(kData, options.timestamps, kBackendNumbers) {
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
  Rig rig_;
  FrameTemplate inbound_;
  FrameTemplate outbound_;
  uint32_t picks_;
  std::vector<FrameTemplate::Prepared> to_backends_;
  std::vector<FrameTemplate::Prepared> to_clients_;
};

using Way = Established::Way;

/// Median of rounds with the pipeline, and of rounds without.
struct Cost {
  std::vector<double> gross;
  std::vector<double> generator;

  double net() const { return median(gross) - median(generator); }
};

}  // namespace

void established(const Options& options) {
  Established bench(options);
  const uint64_t drops_before = bench.rig().drops();
  Cost in, out, both;
  bench.round(Way::kBoth, true);  // warms up
  for (uint32_t i = 0; i < options.rounds; ++i) {
    for (auto [way, cost] : {std::pair{Way::kBoth, &both}, {Way::kIn, &in}, {Way::kOut, &out}}) {
      cost->gross.push_back(bench.round(way, true));
      cost->generator.push_back(bench.round(way, false));
    }
  }
  Figures figures("established");
  figures.count("flows", options.flows);
  figures.text("distribution", options.zipf ? "zipf" : "uniform");
  figures.packet(both.net());
  figures.value("ticks_in", in.net());
  figures.value("ticks_out", out.net());
  figures.value("ticks_generator", median(both.generator));
  figures.value("ticks_min",
                *std::min_element(both.gross.begin(), both.gross.end()) - median(both.generator));
  figures.value("ticks_max",
                *std::max_element(both.gross.begin(), both.gross.end()) - median(both.generator));
  figures.count("dropped", bench.rig().drops() - drops_before);
}

void altered(const Options& options) {
  struct Kind {
    const char* name;
    bool rewrite;
    net::Shift shift;
  };
  constexpr Kind kKinds[] = {{"plain", false, {0, 0}},
                             {"TSval fitted", false, {0, 77777}},
                             {"sequence fitted", false, {77777, 0}},
                             {"both fitted", false, {77777, 77777}},
                             {"clock rewritten", true, {0, 0}}};
  Options with_timestamps = options;
  with_timestamps.timestamps = true;
  Established bench(with_timestamps);
  Cost in[std::size(kKinds)], out[std::size(kKinds)];
  for (uint32_t round = 0; round < 8 * options.rounds; ++round) {
    for (size_t k = 0; k < std::size(kKinds); ++k) {
      // Numbers of plain segments lie in the window of plain flows only: the way in is followed
      // unshifted.
      bench.rig().alter_flows(kKinds[k].rewrite, kKinds[k].shift);
      in[k].gross.push_back(bench.round(Way::kIn, true));
      in[k].generator.push_back(bench.round(Way::kIn, false));
      out[k].gross.push_back(bench.round(Way::kOut, true));
      out[k].generator.push_back(bench.round(Way::kOut, false));
    }
  }
  for (size_t k = 0; k < std::size(kKinds); ++k) {
    Figures figures("altered");
    figures.text("kind", kKinds[k].name);
    figures.count("flows", options.flows);
    figures.value("ticks_in", in[k].net());
    figures.value("ticks_out", out[k].net());
  }
}

}  // namespace sluice::bench
