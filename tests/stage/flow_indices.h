// SPDX-License-Identifier: BSD-3-Clause
// Both indices of flows as parameters of a test, and keys for them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "dataplane/port/rte_hash_index.h"

namespace sluice {

inline const auto kEachIndex = testing::Values(FlowIndexKind::kRteHash, FlowIndexKind::kCompact);

inline std::string index_name(const testing::TestParamInfo<FlowIndexKind>& info) {
  return info.param == FlowIndexKind::kRteHash ? "RteHash" : "Compact";
}

/// The same for the same number only.
inline FlowKey key_of(uint32_t n) {
  return {{net::be32::from_host(0x0a010000 + n / 1000),
           net::be16::from_host(static_cast<uint16_t>(1024 + n % 1000))},
          static_cast<ServiceId>(n % 3)};
}

}  // namespace sluice
