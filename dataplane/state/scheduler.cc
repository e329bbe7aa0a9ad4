// SPDX-License-Identifier: BSD-3-Clause
// The three schedulers.
#include "dataplane/state/scheduler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "dataplane/net/siphash.h"

namespace sluice {
namespace {

/// Over all workers, it has as many flows as it may.
bool is_full(const BackendView& backend, const Registry& registry) {
  if (backend.max_connections == 0) return false;
  uint64_t active = registry.backends[backend.id]->active.value();
  for (const Registry* peer : registry.peers) active += peer->backends[backend.id]->active.value();
  return active >= backend.max_connections;
}

const BackendView* next_in_turn(const ServiceView& service, ServiceState& state) {
  if (state.cursor >= service.wrr_order.size()) {
    state.cursor %= static_cast<uint32_t>(service.wrr_order.size());
  }
  return &service.backends[service.wrr_order[state.cursor++]];
}

/// Those that are full are passed over: as many turns as there are backends, then whoever is left.
const BackendView* round_robin(const ServiceView& service, ServiceState& state,
                               const Registry& registry) {
  if (service.wrr_order.empty()) return nullptr;
  for (size_t i = 0; i < service.backends.size(); ++i) {
    const BackendView* backend = next_in_turn(service, state);
    if (!is_full(*backend, registry)) return backend;
  }
  for (const BackendView& backend : service.backends) {
    if (backend.weight > 0 && !is_full(backend, registry)) return &backend;
  }
  return nullptr;
}

const BackendView* least_connections(const ServiceView& service, ServiceState& state,
                                     const Registry& registry) {
  const BackendView* best = nullptr;
  uint64_t best_active = 0, in_all = 0;
  // Of equals the next one behind the last pick.
  const size_t count = service.backends.size();
  for (size_t i = 0; i < count; ++i) {
    const BackendView& backend = service.backends[(state.cursor + i) % count];
    if (backend.weight == 0 || is_full(backend, registry)) continue;
    const uint64_t active = registry.backends[backend.id]->active.value();
    in_all += active;
    if (best == nullptr || (active + 1) * best->weight < best_active * backend.weight) {
      best = &backend;
      best_active = active + 1;
    }
  }
  // Nobody has anything: then all are equals, and the weights say how often each is meant.
  if (in_all == 0) return round_robin(service, state, registry);
  if (best != nullptr) state.cursor = static_cast<uint32_t>(best - service.backends.data()) + 1;
  return best;
}

/// Of an address under a backend's key.
uint64_t keyed_hash(const net::SipKey& key, const net::IpAddress& ip) {
  if (ip.is_v4()) return net::siphash(key, ip.v4().raw);
  const auto [high, low] = std::bit_cast<std::array<uint64_t, 2>>(ip.v6().bytes);
  return net::siphash({key[0] ^ net::siphash(key, high), key[1]}, low);
}

net::SipKey key_of(const net::Endpoint& backend) {
  if (backend.ip.is_v4()) return {backend.ip.v4().raw, backend.port.raw};
  const auto [high, low] = std::bit_cast<std::array<uint64_t, 2>>(backend.ip.v6().bytes);
  return {high ^ low, low + backend.port.raw};
}

const BackendView* source_hash(const ServiceView& service, const net::IpAddress& client,
                               const Registry& registry) {
  const BackendView* best = nullptr;
  double best_score = 0;
  for (const BackendView& backend : service.backends) {
    if (backend.weight == 0 || is_full(backend, registry)) continue;
    const double uniform =
        (static_cast<double>(keyed_hash(key_of(backend.address), client) >> 11) + 0.5) * 0x1p-53;
    const double score = backend.weight / -std::log(uniform);
    if (best == nullptr || score > best_score) {
      best = &backend;
      best_score = score;
    }
  }
  return best;
}

}  // namespace

std::vector<uint16_t> make_wrr_order(std::span<const uint32_t> weights) {
  uint32_t divisor = 0;
  uint64_t total = 0;
  for (const uint32_t weight : weights) divisor = std::gcd(divisor, weight);
  if (divisor == 0) return {};
  for (const uint32_t weight : weights) total += weight / divisor;
  const double scale =
      total > kTurnsMax ? static_cast<double>(kTurnsMax) / static_cast<double>(total) : 1;

  std::vector<int64_t> share(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto wanted = static_cast<int64_t>(weights[i] / divisor * scale);
    share[i] = weights[i] == 0 ? 0 : std::max<int64_t>(1, wanted);
  }
  const int64_t turn_count = std::accumulate(share.begin(), share.end(), int64_t{0});
  std::vector<int64_t> credit(weights.size());
  std::vector<uint16_t> order;
  for (int64_t turn = 0; turn < turn_count; ++turn) {
    size_t best = 0;
    for (size_t i = 0; i < share.size(); ++i) {
      credit[i] += share[i];
      if (credit[i] > credit[best]) best = i;
    }
    credit[best] -= turn_count;
    order.push_back(static_cast<uint16_t>(best));
  }
  return order;
}

void prepare_scheduler(ServiceView& service) {
  service.wrr_order.clear();
  if (service.scheduler == SchedulerKind::kSourceHash) return;
  std::vector<uint32_t> weights;
  for (const BackendView& backend : service.backends) weights.push_back(backend.weight);
  service.wrr_order = make_wrr_order(weights);
}

const BackendView* pick_backend(const ServiceView& service, ServiceState& state,
                                const Registry& registry, const net::IpAddress& client) {
  switch (service.scheduler) {
    case SchedulerKind::kRoundRobin:
      return round_robin(service, state, registry);
    case SchedulerKind::kLeastConnections:
      return least_connections(service, state, registry);
    case SchedulerKind::kSourceHash:
      return source_hash(service, client, registry);
  }
  return nullptr;
}

}  // namespace sluice
