// SPDX-License-Identifier: BSD-3-Clause
// Sums of port pools.
#include "control/daemon/status/pool_sums.h"

#include <algorithm>
#include <compare>
#include <map>
#include <numeric>

#include "control/daemon/status/pool_names.h"

namespace sluice::control {
namespace {

using PoolCounter = Counter PortPool::Counters::*;

struct SummedLevel {
  Whole PoolSumRow::*sum;
  PoolCounter counter;
};
constexpr SummedLevel kSummedLevels[] = {
    {&PoolSumRow::available, &PortPool::Counters::available},
    {&PoolSumRow::time_wait, &PortPool::Counters::time_wait},
    {&PoolSumRow::in_use, &PortPool::Counters::in_use},
};

struct SummedCounter {
  Watched PoolSumRow::*sum;
  PoolCounter counter;
};
constexpr SummedCounter kSummedCounters[] = {
    {&PoolSumRow::taken, &PortPool::Counters::taken},
    {&PoolSumRow::fresh, &PortPool::Counters::fresh},
    {&PoolSumRow::reuse_available, &PortPool::Counters::reuse_available},
    {&PoolSumRow::reuse_rested, &PortPool::Counters::reuse_rested},
    {&PoolSumRow::reuse_natural, &PortPool::Counters::reuse_natural},
    {&PoolSumRow::reuse_rebased, &PortPool::Counters::reuse_rebased},
    {&PoolSumRow::tsval_adjusts, &PortPool::Counters::tsval_adjusts},
    {&PoolSumRow::sequence_adjusts, &PortPool::Counters::sequence_adjusts},
    {&PoolSumRow::heals, &PortPool::Counters::heals},
    {&PoolSumRow::avoided, &PortPool::Counters::avoided},
};

struct Sum {
  PoolSumRow row;
  // By worker: a SYN that found no port counts in the pool of every local address, and is one.
  std::vector<uint64_t> exhausted;

  void add(const PortPool& pool, uint64_t cannot_be_taken, const IpAddress& local, size_t worker) {
    const PortPool::Counters& counters = pool.counters();
    for (const SummedLevel& level : kSummedLevels) {
      row.*level.sum += (counters.*level.counter).value();
    }
    for (const SummedCounter& summed : kSummedCounters) {
      (row.*summed.sum).total += (counters.*summed.counter).value();
    }
    row.unavailable.value += cannot_be_taken;
    exhausted.resize(std::max(exhausted.size(), worker + 1));
    exhausted[worker] = std::max(exhausted[worker], counters.exhausted.value());
    const auto ports = static_cast<double>(std::max(1u, pool.set().size()));
    const double percent = 100 * static_cast<double>(cannot_be_taken) / ports;
    if (row.pools++ > 0 && percent <= row.fullest_percent) return;
    row.fullest_percent = percent;
    row.fullest_local = to_string(local);
    row.fullest_worker = worker;
  }
};

struct SumKey {
  net::Protocol protocol;
  IpEndpoint backend;
  std::string local_pool;
  auto operator<=>(const SumKey&) const = default;
};

PoolSumRow row_of_sum(const SumKey& key, const Sum& sum, bool waits) {
  PoolSumRow row = sum.row;
  row.backend = to_string(key.backend);
  row.local_pool = key.local_pool;
  row.protocol = to_string(key.protocol);
  row.waits = waits;
  row.exhausted.total = std::accumulate(sum.exhausted.begin(), sum.exhausted.end(), uint64_t{0});
  row.ports = row.available + row.time_wait + row.in_use;
  return row;
}

}  // namespace

std::vector<PoolSumRow> pool_sums(const DataplaneManager& dataplane, const PoolWatch& watch) {
  const PoolNames names(dataplane.config());
  std::map<SumKey, Sum> sums;
  for (const auto& [key, pool] : dataplane.identities().pools()) {
    if (pool.removed) continue;
    Sum& sum = sums[{key.protocol, key.backend, names.local_pool(key.local)}];
    if (sum.row.pools == 0) sum.row.services = names.services(key);
    const auto& registries = dataplane.identities().registries();
    for (size_t worker = 0; worker < registries.size(); ++worker) {
      sum.add(registries[worker]->pools[pool.id]->ports, watch.unavailable(pool.id, worker),
              key.local, worker);
    }
  }
  std::vector<PoolSumRow> rows;
  for (const auto& [key, sum] : sums) {
    const bool waits = waits_for_time_wait(key.protocol, dataplane.config().time_wait);
    rows.push_back(row_of_sum(key, sum, waits));
  }
  return rows;
}

}  // namespace sluice::control
