// SPDX-License-Identifier: BSD-3-Clause
// What a packet of an open connection costs, by how many there are and how they are chosen.
#include "tests/bench/established.h"

#include <memory>

namespace sluice::bench {
namespace {

using Way = Established::Way;

/// What is measured side by side.
struct Variant {
  FlowIndexKind index;
  std::string families;
};

std::vector<Variant> variants_of(const Options& options) {
  std::vector<FlowIndexKind> kinds = {options.flow_index};
  if (options.both_indices) kinds = {FlowIndexKind::kRteHash, FlowIndexKind::kCompact};
  std::vector<Variant> variants;
  for (const std::string& families : options.families) {
    for (const FlowIndexKind kind : kinds) variants.push_back({kind, families});
  }
  return variants;
}

/// Ticks inbound, outbound, and both in turn.
struct WayCosts {
  Cost in, out, both;

  void add_round(Established& bench) {
    for (auto [way, cost] : {std::pair{Way::kBoth, &both}, {Way::kIn, &in}, {Way::kOut, &out}}) {
      cost->gross.push_back(bench.round(way, true));
      cost->generator.push_back(bench.round(way, false));
    }
  }

  void print(const Options& options, const Variant& variant, uint64_t drops) const {
    const auto [least, most] = std::minmax_element(both.gross.begin(), both.gross.end());
    const double generator = median(both.generator);
    Figures figures("established");
    figures.count("flows", options.flows);
    figures.text("distribution", options.zipf ? "zipf" : "uniform");
    figures.text("index", name_of(variant.index));
    figures.text("families", variant.families.c_str());
    figures.packet(both.net());
    figures.value("ticks_in", in.net());
    figures.value("ticks_out", out.net());
    figures.value("ticks_generator", generator);
    figures.value("ticks_min", *least - generator);
    figures.value("ticks_max", *most - generator);
    figures.count("dropped", drops);
  }
};

}  // namespace

void established(const Options& options) {
  const std::vector<Variant> variants = variants_of(options);
  std::vector<std::unique_ptr<Established>> benches;
  std::vector<WayCosts> costs(variants.size());
  for (const Variant& variant : variants) {
    RigOptions room = room_for(options.flows, variant.index);
    room.families = test::families_named(variant.families.c_str());
    benches.push_back(std::make_unique<Established>(options, room));
    benches.back()->round(Way::kBoth, true);  // warms up
  }
  for (uint32_t i = 0; i < options.rounds; ++i) {
    for (size_t k = 0; k < variants.size(); ++k) costs[k].add_round(*benches[k]);
  }
  for (size_t k = 0; k < variants.size(); ++k) {
    costs[k].print(options, variants[k], benches[k]->rig().drops());
  }
}

void adjusted(const Options& options) {
  struct Kind {
    const char* name;
    bool rewrite;
    net::SeqAdjust adjust;
  };
  constexpr Kind kKinds[] = {{"plain", false, {0, 0}},
                             {"TSval fitted", false, {0, 77777}},
                             {"sequence fitted", false, {77777, 0}},
                             {"both fitted", false, {77777, 77777}},
                             {"clock rewritten", true, {0, 0}}};
  Options with_timestamps = options;
  with_timestamps.timestamps = true;
  Established bench(with_timestamps, room_for(options.flows, options.flow_index));
  Cost in[std::size(kKinds)], out[std::size(kKinds)];
  for (uint32_t round = 0; round < 8 * options.rounds; ++round) {
    for (size_t k = 0; k < std::size(kKinds); ++k) {
      // Numbers of plain segments lie in the window of plain flows only: the way in is followed
      // unshifted.
      bench.rig().alter_flows(kKinds[k].rewrite, kKinds[k].adjust);
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
