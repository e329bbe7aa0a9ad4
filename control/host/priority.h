// SPDX-License-Identifier: BSD-3-Clause
// Which of Sluice's threads ask for priority over others: few.
#pragma once

#include <cstdint>
#include <filesystem>

#include "control/config/config.h"

namespace sluice::control {

// Whether the worker on `lcore` gets the highest priority. Only on an isolated CPU that it has to
// itself: elsewhere it would starve whoever runs there too. And only where a priority counts among
// all of the machine's threads: where the CPU is dealt out to groups (autogroup, see sched(7), or a
// cgroup's cpu.weight), it would count among Sluice's own alone, and starve the control thread.
// `root` is / outside of tests.
bool favours_worker(const EalConfig& eal, uint32_t lcore, const std::filesystem::path& root = "/");

}  // namespace sluice::control
