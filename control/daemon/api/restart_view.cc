// SPDX-License-Identifier: BSD-3-Clause
// Flows by backend and by local address.
#include "control/daemon/api/restart_view.h"

#include <filesystem>

#include "control/common/enum_words.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// Of which the file may be another one by now.
std::string program_file() {
  std::error_code error;
  std::string file = std::filesystem::read_symlink("/proc/self/exe", error);
  constexpr std::string_view kDeleted = " (deleted)";
  if (file.ends_with(kDeleted)) file.resize(file.size() - kDeleted.size());
  return file;
}

}  // namespace

json view_restart(const DataplaneManager& dataplane, const std::string& file) {
  json backends = json::array(), pools = json::array();
  const Identities& all = dataplane.identities();
  for (const auto& [key, entry] : all.backends()) {
    const uint64_t flows = all.sum(&Registry::backends, entry.id, &BackendState::active);
    if (flows == 0) continue;
    backends.push_back({{"service", entry.service},
                        {"protocol", word_of(key.service.protocol)},
                        {"vip", to_string(key.service.vip)},
                        {"backend", to_string(key.address)},
                        {"flows", flows}});
  }
  for (const auto& [key, entry] : all.pools()) {
    uint64_t flows = 0;
    for (const Registry* registry : all.registries()) {
      flows += registry->pools[entry.id]->ports.counters().in_use.value();
    }
    if (flows == 0) continue;
    pools.push_back({{"protocol", word_of(key.protocol)},
                     {"local", to_string(key.local)},
                     {"ports", to_string(entry.range)},
                     {"backend", to_string(key.backend)},
                     {"flows", flows}});
  }
  return {{"config_file", file},
          {"program", program_file()},
          {"keeps", dataplane.keeps_flows()},
          {"directory", state_directory(dataplane.config()).string()},
          {"layout", kept_layout()},
          {"workers", dataplane.workers().size()},
          {"flows", dataplane.flow_count()},
          {"backends", std::move(backends)},
          {"pools", std::move(pools)}};
}

}  // namespace sluice::control
