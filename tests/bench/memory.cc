// SPDX-License-Identifier: BSD-3-Clause
// Bytes a flow, from what the process grows by: table, timers, port pool of ports, everything.
#include <cstdio>
#include <cstring>
#include <memory>

#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

/// Resident bytes, hugepages included.
uint64_t resident() {
  uint64_t sum_kb = 0;
  char line[256];
  std::FILE* status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) Rig::fail("/proc/self/status cannot be read");
  while (std::fgets(line, sizeof line, status) != nullptr) {
    unsigned long long kb = 0;
    if (std::sscanf(line, "VmRSS: %llu kB", &kb) == 1 ||
        std::sscanf(line, "HugetlbPages: %llu kB", &kb) == 1) {
      sum_kb += kb;
    }
  }
  std::fclose(status);
  return sum_kb * 1024;
}

}  // namespace

void memory(const Options& options) {
  // The bench's own memory is touched before, so that it does not count.
  std::vector<Tuple> tuples(options.flows);
  tuples.clear();
  const uint64_t before = resident();
  RigOptions room = room_for(options.flows, options.flow_index);
  room.families = test::families_named(options.families[0].c_str());
  Rig rig(room);
  const uint64_t empty = resident();
  open_connections(rig, options.flows, true, tuples);
  const uint64_t full = resident();
  Figures figures("memory");
  figures.count("flows", options.flows);
  figures.text("index", name_of(options.flow_index));
  figures.text("families", options.families[0].c_str());
  figures.value("bytes_per_flow",
                static_cast<double>(full - before) / static_cast<double>(options.flows));
  figures.value("mb_at_start", static_cast<double>(empty - before) / 1e6);
  figures.value("mb_full", static_cast<double>(full - before) / 1e6);
}

}  // namespace sluice::bench
