// SPDX-License-Identifier: BSD-3-Clause
// Isolated CPUs and groups, as /sys and /proc tell them.
#include "control/host/priority.h"

#include "control/host/host_files.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

bool shares_by_group(const fs::path& root) {
  if (first_line(root / "proc/sys/kernel/sched_autogroup_enabled") == "1") return true;
  // "0::/system.slice/sluice.service", of the unified hierarchy.
  const std::string group = first_line(root / "proc/self/cgroup");
  if (!group.starts_with("0::/")) return false;
  std::error_code error;
  return fs::exists(root / "sys/fs/cgroup" / group.substr(4) / "cpu.weight", error);
}

}  // namespace

bool favours_worker(const EalConfig& eal, uint32_t lcore, const fs::path& root) {
  return lcore != eal.main_lcore && isolated_cpus(root / "sys").contains(lcore) &&
         !shares_by_group(root);
}

}  // namespace sluice::control
