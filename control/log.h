// SPDX-License-Identifier: BSD-3-Clause
// The log: lines for people on standard error, spdlog underneath. Workers never log.
//
// DPDK's own log comes through here too. It speaks a lot while EAL starts, so until quiet(false)
// its lines are only kept: when start-up fails, the last of them say why.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "control/config.h"

namespace sluice::control {

void set_up_log(LogLevel level);
void set_log_level(LogLevel level);

// Sends rte_log() to the log. To be called before rte_eal_init().
void capture_dpdk_log();
void set_dpdk_log_quiet(bool quiet);
// The last lines that DPDK wrote at level error, joined; empty when there were none.
std::string last_dpdk_errors();

}  // namespace sluice::control
