// SPDX-License-Identifier: BSD-3-Clause
// Starts and ends the sampling of stages, and shows what came of it.
#include "control/daemon/api/stage_sampling.h"

#include "control/common/row_json.h"
#include "control/common/status_rows.h"
#include "dataplane/worker/set_stage_clocks.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kUnasked{30};

StageRow row_of(size_t worker, size_t stage, const StageClocks& clocks) {
  const uint64_t packets = clocks.stages()[stage].packets.value();
  const auto ticks = static_cast<double>(clocks.stages()[stage].ticks.value());
  return {.worker = worker,
          .stage = String(kClockedStageNames[stage]),
          .packets = packets,
          .clocks = packets == 0 ? OptNumber() : ticks / static_cast<double>(packets)};
}

}  // namespace

void StageSampling::begin() {
  began_ = Clock::now();
  for (const auto& worker : dataplane_.workers()) {
    SetStageClocks call(clocks_.emplace_back(std::make_unique<StageClocks>()).get());
    static_cast<void>(worker->run(call));
  }
}

void StageSampling::end() {
  for (size_t i = 0; i < clocks_.size(); ++i) {
    SetStageClocks call(nullptr);
    static_cast<void>(dataplane_.workers()[i]->run(call));
  }
  clocks_.clear();
}

json StageSampling::view() {
  asked_ = Clock::now();
  if (clocks_.empty()) begin();
  std::vector<StageRow> rows;
  uint64_t bursts = 0;
  for (size_t worker = 0; worker < clocks_.size(); ++worker) {
    bursts += clocks_[worker]->burst_count();
    for (size_t stage = 0; stage < clocks_[worker]->stages().size(); ++stage) {
      rows.push_back(row_of(worker, stage, *clocks_[worker]));
    }
  }
  using Milliseconds = std::chrono::milliseconds;
  return {{"stages", json_of(rows, FieldPlace::kShow)},
          {"bursts", bursts},
          {"one_in", StageClocks::kOneIn},
          {"sampled_ms", std::chrono::duration_cast<Milliseconds>(asked_ - began_).count()}};
}

void StageSampling::tick() {
  if (!clocks_.empty() && Clock::now() - asked_ > kUnasked) end();
}

}  // namespace sluice::control
