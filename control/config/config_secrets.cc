// SPDX-License-Identifier: BSD-3-Clause
// Walks the file's tables, and writes them back.
#include "control/config/config_secrets.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "control/config/config_schema.h"
#include "control/config/toml11.h"
#include "control/config/toml_recovery.h"

namespace sluice::control {
namespace {

// By their names without indices.
constexpr std::array<std::string_view, 9> kSecretKeys = {
    "service.health_check.command",    "service.health_check.path",
    "service.health_check.host",       "service.health_check.body_matches",
    "service.health_check.payload",    "service.health_check.payload_hex",
    "service.health_check.expect",     "service.health_check.expect_hex",
    "service.health_check.dns_expect",
};

bool is_secret(const std::string& path) {
  return std::ranges::find(kSecretKeys, path) != kSecretKeys.end();
}

void leave_out(toml::value& value, const std::string& path) {
  if (is_secret(path)) {
    value = toml::value(std::string(kLeftOut));
  } else if (value.is_table()) {
    for (auto& [name, child] : value.as_table()) {
      leave_out(child, path.empty() ? name : path + "." + name);
    }
  } else if (value.is_array()) {
    for (toml::value& element : value.as_array()) leave_out(element, path);
  } else if (is_unreadable(value)) {
    value = toml::value(std::string("(a line that cannot be read)"));
  }
}

}  // namespace

std::string without_secrets(std::string_view text) {
  Problems problems;
  auto value = parse_toml(text, problems);
  if (!value) return "# The configuration is no TOML: sluice --check says why.\n";
  leave_out(*value, "");
  std::ostringstream out;
  out << *value;
  return out.str();
}

}  // namespace sluice::control
