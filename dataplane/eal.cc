// SPDX-License-Identifier: BSD-3-Clause
// EAL arguments from options.
#include "dataplane/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <stdexcept>

namespace sluice {

std::vector<std::string> eal_arguments(const EalOptions& options) {
  std::string lcores = std::to_string(options.main_lcore);
  for (const unsigned lcore : options.worker_lcores) lcores += ',' + std::to_string(lcore);
  std::vector<std::string> args = {"-l",
                                   lcores,
                                   "--main-lcore",
                                   std::to_string(options.main_lcore),
                                   "-m",
                                   std::to_string(options.memory_mb),
                                   "--no-telemetry"};
  // Nothing is shared with other DPDK processes. 22.11 refuses --in-memory together with --no-huge.
  if (options.hugepages) {
    args.push_back("--in-memory");
  } else {
    args.insert(args.end(), {"--no-huge", "--no-shconf"});
  }
  if (!options.pci) args.push_back("--no-pci");
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
}

void stop_eal() {
  rte_eal_cleanup();
}

}  // namespace sluice
