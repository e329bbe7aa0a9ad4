// SPDX-License-Identifier: BSD-3-Clause
// The log: one line a fact, for people, on standard error; spdlog underneath. Workers never log.
//
// In a terminal or a file a line begins with its time and level. Where standard error is a stream
// of the journal it begins with the priority that the journal reads, "<4>", and the rest is left to
// it. Warnings and errors that repeat themselves are held back and counted (log_limit.h).
//
// DPDK's own log comes through here too. It speaks a lot while EAL starts, so until quiet(false)
// its lines are only kept: when start-up fails, the last of them say why.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <vector>

#include "control/config/config.h"

namespace sluice::control {

void set_up_log(LogLevel level);
void set_log_level(LogLevel level);
// Says what was held back, once it is time to. To be called once a second.
void log_suppressed();
// The last lines, oldest first, each with its time and level: at most kRecentLinesMax.
inline constexpr size_t kRecentLinesMax = 2000;
std::vector<std::string> recent_log();

// Sends rte_log() to the log. To be called before rte_eal_init().
void capture_dpdk_log();
void set_dpdk_log_quiet(bool quiet);
// The last lines that DPDK wrote at level error, joined; empty when there were none.
std::string last_dpdk_errors();

}  // namespace sluice::control
