// SPDX-License-Identifier: BSD-3-Clause
// Sums of port pools.
#include "control/pool_sums.h"

#include <set>

#include "control/pool_names.h"
#include "control/text.h"

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
    {"reuse_fitted", &PortPool::Counters::reuse_fitted},
    {"ts_fixes", &PortPool::Counters::tsval_fixes},
    {"seq_fixes", &PortPool::Counters::sequence_fixes},
    {"heals", &PortPool::Counters::heals},
    {"avoided", &PortPool::Counters::avoided},
    {"exhausted", &PortPool::Counters::exhausted},
};

struct Sum {
  std::array<uint64_t, std::size(kSummed)> values{};
  uint32_t pools = 0;
  double fullest_percent = -1;
  net::Ipv4Address fullest_local{};
  size_t fullest_worker = 0;
  std::set<std::string> local_pools;
  std::set<std::string> services;

  void add(const PortPool::Counters& counters, net::Ipv4Address local, size_t worker) {
    for (size_t i = 0; i < values.size(); ++i) values[i] += (counters.*kSummed[i].counter).value();
    ++pools;
    const auto in_use = static_cast<double>(counters.in_use.value());
    const double ports = in_use + static_cast<double>(counters.clean.value()) +
                         static_cast<double>(counters.held.value());
    const double percent = ports > 0 ? 100 * in_use / ports : 0;
    if (percent <= fullest_percent) return;
    fullest_percent = percent;
    fullest_local = local;
    fullest_worker = worker;
  }
};

json row_of(net::Endpoint backend, const Sum& sum) {
  json row = {{"backend", net::to_string(backend)},
              {"local_pools", join(sum.local_pools, ", ")},
              {"services", join(sum.services, ", ")},
              {"pools", sum.pools},
              {"fullest_percent", sum.fullest_percent},
              {"fullest_local", net::to_string(sum.fullest_local)},
              {"fullest_worker", sum.fullest_worker}};
  for (size_t i = 0; i < sum.values.size(); ++i) row[kSummed[i].name] = sum.values[i];
  row["ports"] = sum.values[0] + sum.values[1] + sum.values[2];
  return row;
}

}  // namespace

json view_pool_sums(const Balancer& balancer) {
  const PoolNames names(balancer.config());
  std::map<net::Endpoint, Sum> sums;
  for (const auto& [key, pool] : balancer.keeper().pools()) {
    if (pool.removed) continue;
    Sum& sum = sums[key.backend];
    sum.local_pools.insert(names.local_pool(key.local));
    sum.services.insert(names.services(key));
    const auto& registries = balancer.keeper().registries();
    for (size_t worker = 0; worker < registries.size(); ++worker) {
      sum.add(registries[worker]->pools[pool.id]->ports.counters(), key.local, worker);
    }
  }
  json rows = json::array();
  for (const auto& [backend, sum] : sums) rows.push_back(row_of(backend, sum));
  return rows;
}

}  // namespace sluice::control
