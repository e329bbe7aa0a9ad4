// SPDX-License-Identifier: BSD-3-Clause
// Ranges of numbers that are checked in more than one place: in the configuration, by the API, and
// on sluicectl's command line.
#pragma once

#include <cstdint>

namespace sluice::control {

struct IntegerRange {  // both ends belong to it
  int64_t min;
  int64_t max;

  constexpr bool contains(int64_t value) const { return min <= value && value <= max; }
};

inline constexpr IntegerRange kWeightRange{0, 1000};
inline constexpr IntegerRange kDrainSecondsRange{0, 604800};
inline constexpr IntegerRange kFlowAgeSecondsRange{0, UINT32_MAX / 1000};  // kept in 32-bit ms
inline constexpr IntegerRange kTraceCountRange{1, 10000};                  // packets
inline constexpr IntegerRange kTraceSecondsRange{1, 3600};
inline constexpr IntegerRange kConnectionsRange{1, 1000000000};
inline constexpr IntegerRange kNewPerSecondRange{1, 16000000};  // what a RateWindow counts
inline constexpr IntegerRange kWhySecondsRange{1, 604800};
inline constexpr IntegerRange kWhyRowsRange{1, 10000};
inline constexpr IntegerRange kUint32Range{0, UINT32_MAX};

// What a trace has where nothing else is asked for.
inline constexpr uint32_t kTraceCountDefault = 100;
inline constexpr uint32_t kTraceSecondsDefault = 60;
// What `why` has.
inline constexpr uint32_t kWhySecondsDefault = 600;
inline constexpr size_t kWhyRowsDefault = 20;

}  // namespace sluice::control
