// SPDX-License-Identifier: BSD-3-Clause
// What /proc and /sys say, read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

namespace sluice::control {

// "0-2,7": the kernel's way to write a set of CPUs or nodes.
std::set<uint32_t> parse_cpu_list(const std::string& text);
// The first line of a file; empty when it cannot be read.
std::string first_line(const std::filesystem::path& file);
// CPUs that the kernel's scheduler leaves alone.
std::set<uint32_t> isolated_cpus(const std::filesystem::path& sys);

}  // namespace sluice::control
