// SPDX-License-Identifier: BSD-3-Clause
// Sums what the workers say of each source.
#include "control/daemon/status/refusal_rows.h"

#include <algorithm>
#include <map>

#include "control/config/address_text.h"

namespace sluice::control {
namespace {

void add_sources(const Worker& worker, size_t reason, std::map<AddressKey, RefusalRow>& sums) {
  const auto now_ms = static_cast<uint32_t>(worker.now_ms());
  for (uint32_t cell = 0; cell < RefusedSources::kCells; ++cell) {
    const auto source = worker.refused_sources(reason).read(cell);
    if (!source) continue;
    // It may have been noted since the clock was read.
    const auto age_ms = static_cast<int32_t>(now_ms - source->last_ms);
    const auto quiet_ms = static_cast<uint32_t>(std::max(age_ms, 0));
    if (quiet_ms > RefusedSources::kQuietMs) continue;
    RefusalRow& row = sums[source->ip];
    const bool is_new = row.count == 0;
    row.count += source->count;
    row.at_least += source->count - source->error;
    row.last_s = is_new ? quiet_ms / 1000 : std::min<uint64_t>(row.last_s, quiet_ms / 1000);
  }
}

}  // namespace

std::vector<RefusalRow> refusal_rows(const DataplaneManager& dataplane, size_t count_max) {
  std::vector<RefusalRow> rows;
  for (size_t reason = 0; reason < net::kGuardReasonCount; ++reason) {
    std::map<AddressKey, RefusalRow> sums;
    for (const auto& worker : dataplane.workers()) add_sources(*worker, reason, sums);
    std::vector<RefusalRow> most;
    for (auto& [ip, row] : sums) {
      row.reason = net::kDropReasonTexts[static_cast<size_t>(net::kFirstGuardReason) + reason].name;
      row.source = to_string(address_of(ip));
      most.push_back(std::move(row));
    }
    std::ranges::stable_sort(most, std::ranges::greater{}, &RefusalRow::at_least);
    if (most.size() > count_max) most.resize(count_max);
    std::ranges::move(most, std::back_inserter(rows));
  }
  return rows;
}

}  // namespace sluice::control
