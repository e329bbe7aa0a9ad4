// SPDX-License-Identifier: BSD-3-Clause
// Numbers as a person reads them.
#include "control/common/human.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sluice::control {
namespace {

// 999.96 must not become "1000.0K": the unit goes up before the rounding would.
std::string scaled(double value, double base, const char* units) {
  size_t unit = 0;
  while (std::abs(value) >= base * 0.99995 && units[unit + 1] != '\0') {
    value /= base;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}{}", value, units[unit]);
}

}  // namespace

std::string with_commas(double value) {
  const std::string digits = fmt::format("{:.0f}", std::abs(value));
  std::string out = value < 0 ? "-" : "";
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string human_count(double value) {
  return std::abs(value) < 1e7 ? with_commas(value) : scaled(value, 1000, " KMGTPE");
}

std::string human_bytes(double value) {
  return scaled(value, 1024, " KMGTPE");
}

std::string human_bits(double value) {
  return scaled(value, 1000, " KMGTPE");
}

std::string human_ms(double value) {
  constexpr double kMsMax = 1e15;  // what an answer says need not be possible
  const auto ms = static_cast<uint64_t>(std::clamp(value, 0.0, kMsMax));
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60000) return fmt::format("{:.1f}s", static_cast<double>(ms / 100) / 10);
  if (ms < 3600000) return fmt::format("{}m{:02}s", ms / 60000, ms / 1000 % 60);
  return fmt::format("{}h{:02}m", ms / 3600000, ms / 60000 % 60);
}

std::string human_fine_ms(double value) {
  return value < 10 ? fmt::format("{:.2f}ms", value) : human_ms(value);
}

}  // namespace sluice::control
