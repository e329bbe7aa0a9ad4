// SPDX-License-Identifier: BSD-3-Clause
// Names, kinds and ranges.
#include "control/config/guard_keys.h"

#include "control/common/ranges.h"
#include "control/config/address_text.h"
#include "control/config/config_enums.h"
#include "control/config/key_kinds.h"
#include "control/config/prefix_text.h"

namespace sluice::control {
namespace {

using namespace kinds;  // NOLINT: nothing but kinds

constexpr size_t kPrefixesMax = 100'000;  // in the file itself; a file of prefixes may have more

Kind<IpPrefix> source_prefix() {
  return {std::string(kPrefixExpected),
          [](const toml::value& value, std::string& why) -> std::optional<IpPrefix> {
            if (!value.is_string()) return std::nullopt;
            return parse_source_prefix(value.as_string().str, why);
          }};
}

Kind<PrefixFile> prefix_file() {
  const Kind<std::string> path = text("an absolute path", 4096);
  return {path.expected,
          [path](const toml::value& value, std::string& why) -> std::optional<PrefixFile> {
            const auto name = path.convert(value, why);
            if (!name || name->front() != '/') return std::nullopt;
            return PrefixFile{*name};
          }};
}

// The same keys, of a table that has the lists inside.
Keys<GuardConfig> lists_of_a_guard() {
  Keys<GuardConfig> keys;
  for (const Key<AccessConfig>& key : access_keys()) {
    keys.push_back({key.name, key.required, key.expected,
                    [key](const toml::value& value, const std::string& path, GuardConfig& guard,
                          Reader& reader) { key.read(value, path, guard.access, reader); }});
  }
  return keys;
}

Keys<GuardConfig> all_of_a_guard() {
  Keys<GuardConfig> keys = lists_of_a_guard();
  const Keys<GuardConfig> limits = {
      one("max_connections", &GuardConfig::max_connections, integer(kConnectionsRange)),
      one("max_new_per_second", &GuardConfig::max_new_per_second, integer(kNewPerSecondRange)),
      one("client_prefix_v4", &GuardConfig::client_prefix_v4, integer(1, 32)),
      one("client_prefix_v6", &GuardConfig::client_prefix_v6, integer(1, 128)),
      one("client_connections", &GuardConfig::client_connections, integer(kConnectionsRange)),
      one("client_new_per_second", &GuardConfig::client_new_per_second,
          integer(kNewPerSecondRange)),
      one("syn_cookies", &GuardConfig::syn_cookies, choice<SynCookieMode>()),
      one("backends_full", &GuardConfig::backends_full, choice<BackendsFull>()),
  };
  keys.insert(keys.end(), limits.begin(), limits.end());
  return keys;
}

}  // namespace

const Keys<AccessConfig>& access_keys() {
  static const Keys<AccessConfig> keys = {
      many("allow", &AccessConfig::allow, source_prefix(), {1, kPrefixesMax}),
      many("deny", &AccessConfig::deny, source_prefix(), {1, kPrefixesMax}),
      one("allow_file", &AccessConfig::allow_file, prefix_file()),
      one("deny_file", &AccessConfig::deny_file, prefix_file()),
  };
  return keys;
}

const Keys<GuardConfig>& guard_keys() {
  static const Keys<GuardConfig> keys = all_of_a_guard();
  return keys;
}

}  // namespace sluice::control
