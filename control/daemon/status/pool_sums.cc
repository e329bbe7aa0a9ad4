// SPDX-License-Identifier: BSD-3-Clause
// Sums of port pools.
#include "control/daemon/status/pool_sums.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "control/daemon/status/pool_names.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct SummedCounter {
  const char* name;
  Counter PortPool::Counters::*counter;
};

// Named as in `show pools`.
constexpr SummedCounter kSummed[] = {
    {"free", &PortPool::Counters::clean},
    {"resting", &PortPool::Counters::held},
    {"in_use", &PortPool::Counters::in_use},
    {"taken", &PortPool::Counters::taken},
    {"fresh", &PortPool::Counters::fresh},
    {"reuse_clean", &PortPool::Counters::reuse_clean},
    {"reuse_rested", &PortPool::Counters::reuse_rested},
    {"reuse_natural", &PortPool::Counters::reuse_natural},
    {"reuse_fitted", &PortPool::Counters::reuse_rebased},
    {"ts_fixes", &PortPool::Counters::tsval_adjusts},
    {"seq_fixes", &PortPool::Counters::sequence_adjusts},
    {"heals", &PortPool::Counters::heals},
    {"avoided", &PortPool::Counters::avoided},
};

struct Sum {
  std::array<uint64_t, std::size(kSummed)> values{};
  uint32_t pools = 0;
  uint64_t unavailable = 0;
  // By worker: a SYN that found no port counts in the pool of every local address, and is one.
  std::vector<uint64_t> exhausted;
  double fullest_percent = -1;
  net::Ipv4Address fullest_local{};
  size_t fullest_worker = 0;
  std::string services;

  void add(const PortPool& pool, uint64_t cannot_be_taken, net::Ipv4Address local, size_t worker) {
    const PortPool::Counters& counters = pool.counters();
    for (size_t i = 0; i < values.size(); ++i) values[i] += (counters.*kSummed[i].counter).value();
    ++pools;
    unavailable += cannot_be_taken;
    exhausted.resize(std::max(exhausted.size(), worker + 1));
    exhausted[worker] = std::max(exhausted[worker], counters.exhausted.value());
    const auto ports = static_cast<double>(std::max(1u, pool.set().size()));
    const double percent = 100 * static_cast<double>(cannot_be_taken) / ports;
    if (percent <= fullest_percent) return;
    fullest_percent = percent;
    fullest_local = local;
    fullest_worker = worker;
  }
};

using SumKey = std::pair<net::Endpoint, std::string>;  // backend, local pool

json row_of(const SumKey& key, const Sum& sum, bool waits) {
  json row = {
      {"backend", net::to_string(key.first)},
      {"local_pool", key.second},
      {"services", sum.services},
      {"pools", sum.pools},
      {"waits", waits},
      {"unavailable", sum.unavailable},
      {"exhausted", std::accumulate(sum.exhausted.begin(), sum.exhausted.end(), uint64_t{0})},
      {"fullest_percent", sum.fullest_percent},
      {"fullest_local", net::to_string(sum.fullest_local)},
      {"fullest_worker", sum.fullest_worker}};
  for (size_t i = 0; i < sum.values.size(); ++i) row[kSummed[i].name] = sum.values[i];
  row["ports"] = sum.values[0] + sum.values[1] + sum.values[2];
  return row;
}

}  // namespace

json view_pool_sums(const DataplaneManager& dataplane, const PoolWatch& watch) {
  const PoolNames names(dataplane.config());
  const bool waits = dataplane.config().time_wait.reuse != ReusePolicy::kRebase;
  std::map<SumKey, Sum> sums;
  for (const auto& [key, pool] : dataplane.identities().pools()) {
    if (pool.removed) continue;
    Sum& sum = sums[{key.backend, names.local_pool(key.local)}];
    if (sum.pools == 0) sum.services = names.services(key);
    const auto& registries = dataplane.identities().registries();
    for (size_t worker = 0; worker < registries.size(); ++worker) {
      sum.add(registries[worker]->pools[pool.id]->ports, watch.unavailable(key, worker), key.local,
              worker);
    }
  }
  json rows = json::array();
  for (const auto& [key, sum] : sums) rows.push_back(row_of(key, sum, waits));
  return rows;
}

}  // namespace sluice::control
