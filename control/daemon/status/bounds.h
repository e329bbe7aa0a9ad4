// SPDX-License-Identifier: BSD-3-Clause
// From where on something is a warning, and critical. Findings, rows, the log and doctor all go by
// these; docs/looking.md has them in words.
#pragma once

#include <cstdint>

namespace sluice::control {

// Of a local address's ports towards a backend, as one worker has them: those it cannot take.
inline constexpr double kPortsWarningPercent = 80;
inline constexpr double kPortsCriticalPercent = 95;

inline constexpr double kBusyWarningPercent = 90;   // a worker
inline constexpr double kFlowsWarningPercent = 90;  // of a worker's flow entries
inline constexpr double kLoopWarningPercent = 90;   // the control thread
inline constexpr double kWaitedWarningPercent = 5;  // others had a worker's CPU

inline constexpr uint64_t kFloodWarningRecent = 20;  // handshakes evicted or deferred lately

// What a device took and has not sent a second later.
inline constexpr uint64_t kUnsentPacketsMin = 16;
inline constexpr double kUnsentWarningPercent = 1;
inline constexpr double kUnsentCriticalPercent = 10;

// Of what came in lately: frames that the device could not hand over.
inline constexpr uint64_t kLostPacketsMin = 16;
inline constexpr double kLostWarningPercent = 1;
inline constexpr double kLostCriticalPercent = 10;

// Packets that another worker should have received: a device that does not spread as it says.
inline constexpr uint64_t kHandedOffMin = 100;
inline constexpr double kHandedOffWarningPercent = 5;

// What runs out: the more is gone, the further we look.
inline constexpr double kFifthGone = 0.2, kFifthHorizonSeconds = 600;
inline constexpr double kHalfGone = 0.5, kHalfHorizonSeconds = 3600;

// A backend beside the others of its service: so many times slower, and by so much.
inline constexpr double kSlowRatio = 5;
inline constexpr double kSlowHandshakeMs = 5;
inline constexpr double kSlowCheckMs = 100;

}  // namespace sluice::control
