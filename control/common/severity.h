// SPDX-License-Identifier: BSD-3-Clause
// How bad something is. Critical costs connections now; a warning soon may, or is worth knowing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::control {

enum class Severity : uint8_t { kOk, kWarning, kCritical };
inline constexpr std::string_view kSeverityNames[] = {"ok", "warning", "critical"};
// Of the version before, under the key `level`, for this version beside `severity`.
inline constexpr std::string_view kOldSeverityNames[] = {"ok", "warn", "bad"};

constexpr std::string_view to_string(Severity severity) {
  return kSeverityNames[static_cast<size_t>(severity)];
}
constexpr std::string_view old_word(Severity severity) {
  return kOldSeverityNames[static_cast<size_t>(severity)];
}
// By its word or its old one; nothing for a word of a later version.
constexpr std::optional<Severity> severity_named(std::string_view word) {
  for (const Severity severity : {Severity::kOk, Severity::kWarning, Severity::kCritical}) {
    if (word == to_string(severity) || word == old_word(severity)) return severity;
  }
  return std::nullopt;
}

}  // namespace sluice::control
