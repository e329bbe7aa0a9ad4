// SPDX-License-Identifier: BSD-3-Clause
// To JSON, to the file, and back.
#include "control/daemon/api/control_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "control/common/api_answer.h"
#include "control/common/atomic_file.h"
#include "control/common/enum_words.h"
#include "control/common/errors.h"
#include "control/common/unique_fd.h"
#include "control/config/address_text.h"
#include "control/daemon/core/kept_counters.h"
#include "dataplane/worker/list_neighbours.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::chrono::seconds kCountersEvery{5};
constexpr size_t kNeighboursMax = 4096;

json row_of(const BackendKey& key) {
  return {{"protocol", word_of(key.service.protocol)},
          {"vip", to_string(key.service.vip)},
          {"backend", to_string(key.address)}};
}

std::optional<BackendKey> key_of_row(const json& row) {
  const auto protocol = value_of<net::Protocol>(text_field(row, "protocol"));
  const auto vip = parse_endpoint(text_field(row, "vip"));
  const auto backend = parse_endpoint(text_field(row, "backend"));
  if (!protocol || !vip || !backend) return std::nullopt;
  return BackendKey{{*protocol, *vip}, *backend};
}

// For its owner alone. Whoever reads it sees the old text or the new one.
void replace(const std::string& file, const std::string& text) {
  const std::string temporary = file + ".new";
  unlink(temporary.c_str());
  const UniqueFd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      rename(temporary.c_str(), file.c_str()) != 0) {
    throw std::runtime_error(file + ": " + std::strerror(errno));
  }
}

}  // namespace

ControlKeeper::ControlKeeper(DataplaneManager& dataplane, Operations& operations,
                             RecallDown recall_down)
    : dataplane_(dataplane), operations_(operations), recall_down_(std::move(recall_down)) {
  if (dataplane.keeps_flows()) file_ = control_file(dataplane.config());
}

void ControlKeeper::recall() {
  if (file_.empty() || !std::filesystem::exists(file_)) return;
  try {
    const json left = json::parse(read_file(file_));
    if (left.value("version", 0) != kVersion || text_field(left, "boot") != boot_id()) {
      spdlog::warn("{}: of another version, or another boot: not used", file_);
      return;
    }
    recall_overrides(list_field(left, "overrides"));
    recall_health(list_field(left, "down"));
    recall_neighbours(list_field(left, "neighbours"));
    add_counters(dataplane_.workers(), dataplane_.identities(), left.value("counters", json{}));
    if (left.contains("drain")) operations_.recall_drain(left.at("drain"));
  } catch (const std::exception& error) {
    spdlog::warn("what the process before has left in {} is of no use: {}", file_, error.what());
  }
}

void ControlKeeper::recall_overrides(const json& rows) {
  Overrides overrides;
  for (const json& row : rows) {
    const auto key = key_of_row(row);
    if (!key) continue;
    Override& over = overrides[*key];
    if (row.contains("weight")) over.weight = row.at("weight").get<uint32_t>();
    over.state = value_of<AdminState>(text_field(row, "state")).value_or(AdminState::kAuto);
  }
  overrides = still_configured(overrides, dataplane_.config());
  if (overrides.empty()) return;
  spdlog::info("overrides that the process before has left: {}", overrides.size());
  dataplane_.set_overrides(overrides);
}

void ControlKeeper::recall_health(const json& rows) {
  size_t count = 0;
  for (const json& row : rows) {
    const auto key = key_of_row(row);
    if (key && recall_down_(*key, text_field(row, "reason"))) ++count;
  }
  if (count == 0) return;
  spdlog::info("backends that were down before, and are until their checks say otherwise: {}",
               count);
  dataplane_.health_changed();
}

void ControlKeeper::recall_neighbours(const json& rows) {
  const auto& interfaces = dataplane_.config().interfaces;
  std::vector<KnownNeighbour> neighbours;
  for (const json& row : rows) {
    const auto ip = parse_ip(text_field(row, "ip"));
    const auto mac = parse_mac(text_field(row, "mac"));
    const auto interface =
        std::ranges::find(interfaces, text_field(row, "interface"), &InterfaceConfig::name);
    if (!ip || !mac || interface == interfaces.end()) continue;
    neighbours.push_back({*ip, static_cast<uint16_t>(interface - interfaces.begin()), *mac});
  }
  dataplane_.recall_neighbours(std::move(neighbours));
}

// All workers know about the same.
json ControlKeeper::neighbours() const {
  ListNeighbours call(kNeighboursMax);
  dataplane_.workers().front()->run(call);
  json rows = json::array();
  for (const KnownNeighbour& neighbour : call.neighbours()) {
    rows.push_back({{"ip", to_string(neighbour.ip)},
                    {"interface", dataplane_.config().interfaces[neighbour.interface].name},
                    {"mac", to_string(neighbour.mac)}});
  }
  return rows;
}

json ControlKeeper::settings() const {
  json overrides = json::array(), down = json::array();
  for (const auto& [key, over] : dataplane_.runtime().overrides) {
    json& row = overrides.emplace_back(row_of(key));
    if (over.weight) row["weight"] = *over.weight;
    if (over.state != AdminState::kAuto) row["state"] = word_of(over.state);
  }
  for (const auto& [key, view] : dataplane_.runtime().health) {
    if (view.health != Health::kDown) continue;
    json& row = down.emplace_back(row_of(key));
    row["reason"] = view.reason;
  }
  json all{{"version", kVersion},
           {"boot", boot_id()},
           {"overrides", std::move(overrides)},
           {"down", std::move(down)}};
  if (const json drain = operations_.kept_drain(); !drain.is_null()) all["drain"] = drain;
  return all;
}

void ControlKeeper::tick() {
  if (file_.empty()) return;
  json now = settings();
  const auto at = std::chrono::steady_clock::now();
  if (now == written_ && at - written_at_ < kCountersEvery) return;
  write(now);
}

void ControlKeeper::end() {
  if (file_.empty()) return;
  json now = settings();
  now.erase("drain");
  write(now);
}

void ControlKeeper::write(const json& settings) {
  written_ = settings;
  written_at_ = std::chrono::steady_clock::now();
  json all = settings;
  all["neighbours"] = neighbours();
  all["counters"] = counters_of(dataplane_.workers(), dataplane_.identities());
  try {
    replace(file_, all.dump());
    refused_ = false;
  } catch (const std::exception& error) {
    if (std::exchange(refused_, true)) return;
    spdlog::warn("{}: overrides, health and counters will not outlive this process", error.what());
  }
}

}  // namespace sluice::control
