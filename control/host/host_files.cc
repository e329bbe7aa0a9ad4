// SPDX-License-Identifier: BSD-3-Clause
// Lines and lists of the kernel's files.
#include "control/host/host_files.h"

#include <cstdio>
#include <fstream>

namespace sluice::control {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::string line;
  std::ifstream stream(file);
  std::getline(stream, line);
  return line;
}

std::set<uint32_t> parse_cpu_list(const std::string& text) {
  std::set<uint32_t> out;
  constexpr unsigned kCpuMax = 4096;
  for (size_t at = 0; at < text.size(); at = text.find(',', at)) {
    if (text[at] == ',') ++at;
    unsigned first = 0;
    unsigned last = 0;
    const int count = std::sscanf(text.c_str() + at, "%u-%u", &first, &last);
    if (count < 1) break;
    if (count == 1) last = first;
    for (unsigned cpu = first; cpu <= last && cpu < kCpuMax; ++cpu) out.insert(cpu);
  }
  return out;
}

std::set<uint32_t> isolated_cpus(const fs::path& sys) {
  return parse_cpu_list(first_line(sys / "devices/system/cpu/isolated"));
}

}  // namespace sluice::control
