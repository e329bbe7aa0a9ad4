// SPDX-License-Identifier: BSD-3-Clause
// The transitions.
#include "control/daemon/health/health_state.h"

#include <algorithm>
#include <utility>

namespace sluice::control {
namespace {

constexpr uint64_t kPercentStep = 5;  // the first one too: what gets no flow proves nothing
constexpr uint64_t kSoonMs = 60'000;
constexpr uint32_t kRelapsesMax = 6;
constexpr std::string_view kNoReason = "no reason was given";

}  // namespace

bool HealthState::enter(Health health, uint64_t now_ms) {
  row_count_ = 0;
  if (view_->health == health) return false;
  view_->health = health;
  view_->takes_flows = health != Health::kDown;
  view_->since_ms = now_ms;
  view_->share_percent = health == Health::kStarting ? kPercentStep : 100;
  return true;
}

bool HealthState::come_back(const HealthRules& rules, uint64_t now_ms) {
  view_->reason.clear();
  return enter(rules.slow_start_ms > 0 ? Health::kStarting : Health::kUp, now_ms);
}

bool HealthState::observe(bool good, std::string_view reason, const HealthRules& rules,
                          uint64_t now_ms) {
  if (!good) view_->reason = reason.empty() ? kNoReason : reason;
  if (good && health() != Health::kDown) view_->reason.clear();
  if (health() == Health::kUnchecked && good) {
    return waits() ? come_back(rules, now_ms) : enter(Health::kUp, now_ms);
  }
  if (good == (health() != Health::kDown)) {
    row_count_ = 0;
    return false;
  }
  ++row_count_;
  if (good) return row_count_ >= rules.rise << relapses_ && come_back(rules, now_ms);
  return row_count_ >= rules.fall && enter(Health::kDown, now_ms);
}

bool HealthState::bring_down(std::string_view reason, uint64_t now_ms) {
  if (health() == Health::kDown) return false;
  const bool soon = health() != Health::kUnchecked && now_ms - view_->since_ms < kSoonMs;
  relapses_ = soon ? std::min(relapses_ + 1, kRelapsesMax) : 0;
  view_->reason = reason.empty() ? kNoReason : reason;
  return enter(Health::kDown, now_ms);
}

bool HealthState::advance(const HealthRules& rules, uint64_t now_ms) {
  if (health() != Health::kStarting) return false;
  const uint64_t passed_ms = now_ms - view_->since_ms;
  if (passed_ms >= rules.slow_start_ms) {
    const uint32_t row_count = row_count_;
    enter(Health::kUp, now_ms);
    row_count_ = row_count;
    return true;
  }
  const uint64_t percent = passed_ms * 100 / rules.slow_start_ms / kPercentStep * kPercentStep;
  const auto share = static_cast<uint32_t>(std::max(kPercentStep, percent));
  return std::exchange(view_->share_percent, share) != share;
}

}  // namespace sluice::control
