// SPDX-License-Identifier: BSD-3-Clause
// Reading, line, file.
#include "control/daemon/core/wall_clock_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "dataplane/port/tsc_clock.h"

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kStep = 100ms;      // more than slewing does in a second
constexpr std::chrono::milliseconds kRateFrom = 10s;    // readings are whole milliseconds
constexpr std::chrono::milliseconds kRateUpTo = 1000s;  // slewing changes it
constexpr uint64_t kFileStepMs = 1000;                  // so that jitter writes no file

uint64_t ms(std::chrono::milliseconds duration) {
  return static_cast<uint64_t>(duration.count());
}

uint64_t distance(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

uint64_t read_ahead(const std::string& file) {
  uint64_t ahead = 0;
  std::ifstream(file) >> ahead;
  return ahead;
}

bool write_ahead(const std::string& file, uint64_t ahead) {
  const std::string temporary = file + ".new";
  std::ofstream out(temporary, std::ios::trunc);
  out << ahead << '\n';
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(temporary, file, error);
  return out && !error;
}

}  // namespace

WallClockKeeper::WallClockKeeper(std::string file)
    : file_(std::move(file)), kept_ms_(read_ahead(file_)) {
  clock_.ahead_ms = kept_ms_;
}

void WallClockKeeper::observe() {
  const uint64_t worker_ms = TscClock().now_ms();
  using std::chrono::system_clock;
  const auto wall = std::chrono::floor<std::chrono::milliseconds>(system_clock::now());
  observe(worker_ms, ms(wall.time_since_epoch()));
}

void WallClockKeeper::observe(uint64_t worker_ms, uint64_t wall_ms) {
  const WallClock before =
      std::exchange(clock_, {worker_ms, wall_ms, clock_.rate, clock_.ahead_ms});
  if (std::exchange(running_, true)) clock_.continue_from(before, worker_ms);
  const uint64_t since = worker_ms - anchor_worker_ms_;
  if (distance(before.at(worker_ms), wall_ms) > ms(kStep) || since > ms(kRateUpTo)) {
    anchor_worker_ms_ = worker_ms;
    anchor_wall_ms_ = wall_ms;
  } else if (since >= ms(kRateFrom)) {
    const auto faster = static_cast<int64_t>(wall_ms - anchor_wall_ms_ - since);
    clock_.rate = faster * (int64_t{1} << 30) / static_cast<int64_t>(since);
  }
  cell_.publish(clock_);
}

void WallClockKeeper::keep(uint64_t lead_ms) {
  const uint64_t ahead = clock_.ahead_ms + lead_ms;
  if (ahead <= kept_ms_) return;
  kept_ms_ = (ahead / kFileStepMs + 1) * kFileStepMs;
  if (write_ahead(file_, kept_ms_) || std::exchange(refused_, true)) return;
  spdlog::warn("{}: cannot be written: after a restart, rewritten timestamps may go back", file_);
}

}  // namespace sluice::control
