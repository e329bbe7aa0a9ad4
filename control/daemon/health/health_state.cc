// SPDX-License-Identifier: BSD-3-Clause
// The transitions.
#include "control/daemon/health/health_state.h"

#include <algorithm>
#include <utility>

namespace sluice::control {
namespace {

constexpr uint32_t kPercentStep = 5;  // the first one too: what gets no flow proves nothing
constexpr std::chrono::seconds kSoon{60};
constexpr uint32_t kRelapsesMax = 6;
constexpr std::string_view kNoReason = "no reason was given";

}  // namespace

bool HealthState::enter(Health health, SteadyTime now) {
  row_count_ = 0;
  if (view_->health == health) return false;
  view_->health = health;
  view_->takes_flows = health != Health::kDown;
  view_->since = now;
  view_->share_percent = health == Health::kStarting ? kPercentStep : 100;
  return true;
}

bool HealthState::come_back(const HealthRules& rules, SteadyTime now) {
  view_->reason.clear();
  return enter(rules.slow_start.count() > 0 ? Health::kStarting : Health::kUp, now);
}

bool HealthState::observe(bool good, std::string_view reason, const HealthRules& rules,
                          SteadyTime now) {
  if (!good) view_->reason = reason.empty() ? kNoReason : reason;
  if (good && health() != Health::kDown) view_->reason.clear();
  if (health() == Health::kUnchecked && good) {
    return waits() ? come_back(rules, now) : enter(Health::kUp, now);
  }
  if (good == (health() != Health::kDown)) {
    row_count_ = 0;
    return false;
  }
  ++row_count_;
  if (good) return row_count_ >= rules.rise << relapses_ && come_back(rules, now);
  return row_count_ >= rules.fall && enter(Health::kDown, now);
}

bool HealthState::bring_down(std::string_view reason, SteadyTime now) {
  if (health() == Health::kDown) return false;
  const bool soon = health() != Health::kUnchecked && now - view_->since < kSoon;
  relapses_ = soon ? std::min(relapses_ + 1, kRelapsesMax) : 0;
  view_->reason = reason.empty() ? kNoReason : reason;
  return enter(Health::kDown, now);
}

bool HealthState::advance(const HealthRules& rules, SteadyTime now) {
  if (health() != Health::kStarting) return false;
  const auto passed = now - view_->since;
  if (passed >= rules.slow_start) {
    const uint32_t row_count = row_count_;
    enter(Health::kUp, now);
    row_count_ = row_count;
    return true;
  }
  const auto percent = static_cast<uint32_t>(passed * 100 / rules.slow_start);
  const uint32_t share = std::max(kPercentStep, percent / kPercentStep * kPercentStep);
  return std::exchange(view_->share_percent, share) != share;
}

}  // namespace sluice::control
