// SPDX-License-Identifier: BSD-3-Clause
// Starting and ending DPDK's environment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct EalOptions {
  unsigned main_lcore = 0;  // may be one of the workers' as well
  std::vector<unsigned> worker_lcores;
  uint32_t memory_mb = 512;
  bool hugepages = true;
  // Devices of a bus that EAL looks through (PCI, VMBus), with their arguments: no other is taken.
  std::vector<std::string> allowed;
  bool telemetry = true;          // the socket that dpdk-telemetry.py asks
  bool multi_process = false;     // secondary processes may attach; needs hugepages
  std::vector<std::string> args;  // any further EAL arguments
};

/// The main lcore's number: its CPU's, or a free one where a worker has that CPU.
unsigned main_lcore_of(const EalOptions& options);
/// The argument vector that start_eal() passes, without the program's name.
std::vector<std::string> eal_arguments(const EalOptions& options);

/// Starts EAL; once a process. The calling thread becomes the main lcore. Throws std::runtime_error
/// with DPDK's reason.
void start_eal(const EalOptions& options);
void stop_eal();

}  // namespace sluice
