// SPDX-License-Identifier: BSD-3-Clause
// EAL arguments from options.
#include "dataplane/port/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_pdump.h>

#include <algorithm>
#include <stdexcept>

namespace sluice {
namespace {

bool names_a_device(const std::vector<std::string>& args) {
  return std::ranges::any_of(
      args, [](const std::string& arg) { return arg == "-a" || arg.starts_with("--allow"); });
}

}  // namespace

unsigned main_lcore_of(const EalOptions& options) {
  const auto& workers = options.worker_lcores;
  unsigned lcore = options.main_lcore;
  if (std::ranges::find(workers, lcore) == workers.end()) return lcore;
  for (lcore = 0; std::ranges::find(workers, lcore) != workers.end();) ++lcore;
  return lcore;
}

std::vector<std::string> eal_arguments(const EalOptions& options) {
  // An lcore is a thread, and its number that of its CPU; but for the control thread's where a
  // worker has that CPU, too.
  const unsigned main = main_lcore_of(options);
  std::string lcores = std::to_string(main) + '@' + std::to_string(options.main_lcore);
  for (const unsigned lcore : options.worker_lcores) {
    lcores += ',' + std::to_string(lcore) + '@' + std::to_string(lcore);
  }
  std::vector<std::string> args = {"--lcores",           lcores, "--main-lcore",
                                   std::to_string(main), "-m",   std::to_string(options.memory_mb)};
  if (!options.telemetry) args.push_back("--no-telemetry");
  // Shared with other DPDK processes is only what was asked for. 22.11 refuses --in-memory together
  // with --no-huge.
  if (options.multi_process) {
    args.insert(args.end(), {"--proc-type", "primary"});
  } else if (options.hugepages) {
    args.push_back("--in-memory");
  } else {
    args.insert(args.end(), {"--no-huge", "--no-shconf"});
  }
  for (const std::string& device : options.allowed) args.insert(args.end(), {"-a", device});
  // A list that is empty would mean: all of them.
  if (options.allowed.empty() && !names_a_device(options.args)) args.push_back("--no-pci");
  args.insert(args.end(), options.args.begin(), options.args.end());
  return args;
}

void start_eal(const EalOptions& options) {
  std::vector<std::string> args = eal_arguments(options);
  args.insert(args.begin(), "sluice");
  // EAL keeps and reorders the pointers: both live as long as the process.
  static std::vector<std::string> kept;
  static std::vector<char*> argv;
  kept = std::move(args);
  for (std::string& arg : kept) argv.push_back(arg.data());
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(kept.size()), argv.data()) < 0) {
    throw std::runtime_error(rte_strerror(rte_errno));
  }
  // From here on dpdk-dumpcap and dpdk-pdump can ask for copies; until one does, it costs nothing.
  if (options.multi_process && rte_pdump_init() < 0) {
    throw std::runtime_error(std::string("pdump: ") + rte_strerror(rte_errno));
  }
}

void stop_eal() {
  rte_eal_cleanup();
}

}  // namespace sluice
