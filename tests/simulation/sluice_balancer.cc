// SPDX-License-Identifier: BSD-3-Clause
// Builds a core for a scenario's site and turns frames into buffers and back.
#include "tests/simulation/sluice_balancer.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "dataplane/stage/adopt_flows.h"
#include "dataplane/stage/end_flow.h"
#include "dataplane/stage/kept_neighbours.h"
#include "dataplane/stage/pipeline.h"
#include "dataplane/worker/packet_balance.h"
#include "tests/families/families.h"
#include "tests/simulation/audit.h"
#include "tests/simulation/eal.h"
#include "tests/simulation/kept_arena.h"
#include "tests/simulation/network.h"
#include "tests/simulation/store_trap.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kClientsMax = 1024;
constexpr uint32_t kSmallTable = 1024;
constexpr size_t kCopiesMax = 512;
constexpr uint64_t kWallClockMs = 1'767'225'600'000;  // the wall clock at virtual time 0

net::Ipv4Address ip(uint32_t host) {
  return net::Ipv4Address::from_host(host);
}

net::Ipv4Endpoint endpoint(const Address& a) {
  return {ip(a.ip), net::be16::from_host(a.port)};
}

ReusePolicy policy_of(Reuse reuse) {
  switch (reuse) {
    case Reuse::never:
      return ReusePolicy::kNever;
    case Reuse::natural:
      return ReusePolicy::kNatural;
    case Reuse::rebase:
      return ReusePolicy::kRebase;
  }
  return ReusePolicy::kRebase;
}

TcpTimeouts timeouts_of(const BalancerTimeouts& t) {
  return {t.syn_ms,     t.syn_ms,     t.established_ms, t.closing_ms, t.closing_ms,
          t.closing_ms, t.closing_ms, t.closed_ms,      t.closed_ms};
}

class SluiceBalancer final : public Balancer {
 public:
  SluiceBalancer(const Scenario& scenario, const Site& site, Wire& wire, uint64_t seed)
      : scenario_(scenario),
        site_(site),
        wire_(wire),
        packets_(packet_pool()),
        rng_(seed),
        down_(site.backends.size()),
        ports_(deal_ports({site.port_first, site.port_last}, 1, net::Random({5, 6}))) {
    start(kSecond);
  }

  void receive(Side side, std::span<const FrameView> burst, TimeUs now) override {
    core_->now_ms = now / kMillisecond;
    run(burst, side);
    core_->tx.flush();
  }

  void kill(Side side, std::span<const FrameView> burst, size_t at, uint64_t stores,
            TimeUs now) override {
    core_->now_ms = now / kMillisecond;
    dead_ = true;  // of what leaves from here on, nothing does
    run(burst.first(at), side);
    rte_mbuf* last = nullptr;
    fill(burst.subspan(at, 1), side, &last);
    die([&] { run_burst(*core_, static_cast<uint16_t>(side), &last, 1); }, stores, now);
  }

  void kill_idle(uint64_t stores, TimeUs now) override {
    core_->now_ms = now / kMillisecond;
    dead_ = true;
    die([&] { run_housekeeping(*core_); }, stores, now);
  }

  void housekeeping(TimeUs now) override {
    core_->now_ms = now / kMillisecond;
    run_housekeeping(*core_);
    core_->registry.port_chunks.refill();  // as control does
    core_->tx.flush();
  }

  void restart(TimeUs now) override {
    core_.reset();
    start(now);
  }

  void set_down(size_t backend, bool down) override {
    down_[backend] = down;
    auto next = make_snapshot(snapshot_->network_generation);
    adopt_snapshot(*core_, *next);
    snapshot_ = std::move(next);
  }

  // Every other configuration lacks the last backend and weighs the first one double.
  void reload(TimeUs) override {
    auto next = make_snapshot(snapshot_->network_generation + 1);
    adopt_snapshot(*core_, *next);
    snapshot_ = std::move(next);
    core_->tx.flush();
  }

  Account account() const override {
    Account a;
    a.known = true;
    a.flows = core_->flows.flow_count();
    for (const auto& pool : core_->registry.pools) {
      if (pool == nullptr) continue;
      const PortPool::Counters& c = pool->ports.counters();
      a.ports_total += pool->ports.set().size();
      a.ports_in_use += c.in_use.value();
      a.ports_free += c.available.value() + c.time_wait.value();
      a.heals += c.heals.value();
      a.ts_fixes += c.tsval_adjusts.value();
      a.seq_fixes += c.sequence_adjusts.value();
      a.exhausted += c.exhausted.value();
    }
    a.buffers = rte_mempool_in_use_count(packets_) - buffers_lost_;
    a.clients_active = core_->clients.active_count();
    a.kills_tried = kills_tried_;
    a.broken = broken_;
    a.unaccounted = balance_of(core_->counters).unaccounted();
    return a;
  }

  std::string description() const override { return "sluice"; }

 private:
  static uint16_t transmit(void* context, uint16_t port, rte_mbuf** packets, uint16_t count) {
    auto* self = static_cast<SluiceBalancer*>(context);
    for (uint16_t i = 0; i < count; i++) {
      const auto out =
          test::to_v4({rte_pktmbuf_mtod(packets[i], const uint8_t*), packets[i]->data_len});
      rte_pktmbuf_free(packets[i]);
      if (!out) continue;
      if (self->dead_) {
        self->wire_.lose(static_cast<Side>(port), *out);
      } else {
        self->wire_.emit(static_cast<Side>(port), *out);
      }
    }
    return count;
  }

  uint16_t fill(std::span<const FrameView> burst, Side side, rte_mbuf** buffers) {
    uint16_t count = 0;
    for (const FrameView frame : burst) {
      rte_mbuf* buffer = rte_pktmbuf_alloc(packets_);
      if (buffer == nullptr) break;
      const bool v6 = families_.is_v6(static_cast<uint16_t>(side));
      const test::Frame in = v6 ? test::to_v6(frame) : test::Frame(frame.begin(), frame.end());
      std::memcpy(rte_pktmbuf_append(buffer, static_cast<uint16_t>(in.size())), in.data(),
                  in.size());
      buffers[count++] = buffer;
    }
    return count;
  }

  void run(std::span<const FrameView> burst, Side side) {
    rte_mbuf* buffers[kBurstMax];
    const uint16_t count = fill(burst, side, buffers);
    run_burst(*core_, static_cast<uint16_t>(side), buffers, count);
  }

  // Runs the last that the core does, store by store, and goes on from what stood in memory after
  // so many of them. Of all the others it is tried whether one could go on from there.
  void die(const std::function<void()>& run, uint64_t stores, TimeUs now) {
    const std::vector<FlowTuple> before = tuples_of(*core_);
    size_t count = 0;
    const auto copy = [&] {
      if (count < kCopiesMax) arena_->copy_to(*copy_at(count++));
    };
    copy();
    run_store_by_store(arena_->pages(), copy, run);
    const std::vector<FlowTuple> after = tuples_of(*core_);
    core_->tx.flush();
    for (size_t i = 0; i < count && broken_.empty(); ++i) try_from(*copies_[i], before, after, now);
    kills_tried_ += count;
    std::vector<KnownNeighbour> neighbours;
    neighbours.reserve(2 * kSmallTable);
    uint32_t cursor = 0;
    list_neighbours(*core_, cursor, UINT32_MAX, neighbours);
    core_.reset();
    dead_ = false;
    start(now, copies_[std::min<uint64_t>(stores, count - 1)].get());
    recall_neighbours(*core_, neighbours);
  }

  KeptArena* copy_at(size_t i) {
    if (i == copies_.size()) {
      copies_.push_back(std::make_unique<KeptArena>(scenario_.flows_max, chunk_count()));
    }
    return copies_[i].get();
  }

  // Nothing of a flow is made up: each was there before the packet, or is after it. And what is
  // open before and after is open in between. One core tries all: it is emptied in between.
  void try_from(KeptArena& left, const std::vector<FlowTuple>& before,
                const std::vector<FlowTuple>& after, TimeUs now) {
    if (trial_.core == nullptr) trial_ = make_life(now, nullptr);
    Core& core = *trial_.core;
    for (uint32_t i = 0; i < core.flows.flow_count_max(); ++i) {
      if (core.flows[i].live) free_flow(core, i);
    }
    fill_registry(core);
    core.now_ms = now / kMillisecond;
    adopt(core, left);
    const auto has = [](const std::vector<FlowTuple>& all, const FlowTuple& tuple) {
      return std::ranges::find(all, tuple) != all.end();
    };
    const std::vector<FlowTuple> adopted = tuples_of(core);
    broken_ = audit(core);
    const auto is_whole = [&](const FlowTuple& tuple) {
      const auto then = std::ranges::find(after, tuple);
      if (tuple.numbers == 0 || then == after.end() || then->numbers == 0) return true;
      const auto first = std::ranges::find(before, tuple);
      return tuple.numbers == then->numbers ||
             (first != before.end() && tuple.numbers == first->numbers);
    };
    for (const FlowTuple& tuple : adopted) {
      if (!has(before, tuple) && !has(after, tuple)) broken_ = "a flow is none that there ever was";
      if (!is_whole(tuple)) broken_ = "a handshake is half written";
    }
    for (const FlowTuple& tuple : before) {
      const auto then = std::ranges::find(after, tuple);
      const bool goes_on = tuple.is_open && then != after.end() && then->is_open;
      if (goes_on && !has(adopted, tuple)) broken_ = "an open flow is lost";
    }
  }

  // One each for the pool that takes the place of another.
  size_t chunk_count() const {
    const size_t pools = site_.backends.size() * site_.local_ips.size();
    return pools * (1 + PortPool::chunks_of(site_.port_last - site_.port_first + 1u));
  }

  // A core, and what outlives it.
  struct Life {
    std::unique_ptr<Snapshot> snapshot;
    std::unique_ptr<KeptArena> arena;
    std::unique_ptr<Core> core;
  };

  Life make_life(TimeUs now, KeptArena* left) {
    Life life;
    CoreSetup setup{};
    setup.limits.flow_count_max = scenario_.flows_max;
    if (scenario_.client_connections != 0) setup.limits.client_count_max = kClientsMax;
    setup.secret = {rng_.next(), rng_.next()};
    setup.packets = packets_;
    setup.transmit = transmit;
    setup.transmit_context = this;
    setup.now_ms = now / kMillisecond;
    setup.wall_clock_ms = kWallClockMs + setup.now_ms;
    if (scenario_.kills()) {
      setup.limits.syn_count_max = setup.limits.neighbour_count_max =
          setup.limits.neighbour6_count_max = kSmallTable;
      life.arena = std::make_unique<KeptArena>(scenario_.flows_max, chunk_count());
      setup.kept = life.arena->memory();
    }
    life.core = std::make_unique<Core>(setup);
    if (families_.v6_clients) life.core->flows.enable_v6();
    fill_registry(*life.core);
    life.snapshot = make_snapshot(0);
    adopt_snapshot(*life.core, *life.snapshot);
    if (left != nullptr) adopt(*life.core, *left);
    return life;
  }

  void start(TimeUs now, KeptArena* left = nullptr) {
    buffers_lost_ = rte_mempool_in_use_count(packets_);
    Life life = make_life(now, left);
    core_ = std::move(life.core);
    arena_ = std::move(life.arena);
    snapshot_ = std::move(life.snapshot);
    core_->tx.flush();
  }

  void adopt(Core& core, KeptArena& left) {
    std::vector<KeptPath> names;
    std::vector<KeptSource::Path> paths;
    for (const Address& backend : site_.backends) {
      const auto there = test::endpoint_in(families_.v6_backends, endpoint(backend));
      for (const uint32_t local : site_.local_ips) {
        paths.push_back({static_cast<PathId>(paths.size()), 0});
        names.push_back(
            {{net::Protocol::kTcp, test::address_in(families_.v6_backends, ip(local)), there},
             test::endpoint_in(families_.v6_clients, endpoint(site_.vip)),
             true});
      }
    }
    KeptSource source = left.source();
    source.names = names;
    source.paths = paths;
    adopt_kept(core, {&source, 1});
  }

  // Backend b has the pools b * local_ips ... (b + 1) * local_ips - 1.
  void fill_registry(Core& core) {
    Registry& registry = core.registry;
    registry.services.set(0, std::make_unique<ServiceState>(
                                 test::endpoint_in(families_.v6_clients, endpoint(site_.vip))));
    registry.clock_maps.make(scenario_.flows_max);
    if (scenario_.header_bytes != 0) registry.proxy_tracks.make(scenario_.flows_max);
    PoolId pool = 0;
    for (size_t b = 0; b < site_.backends.size(); b++) {
      registry.backends.set(b, std::make_unique<BackendState>(static_cast<BackendId>(b)));
      for (const uint32_t local : site_.local_ips) {
        registry.pools.set(
            pool, std::make_unique<PoolState>(
                      test::address_in(families_.v6_backends, ip(local)),
                      test::endpoint_in(families_.v6_backends, endpoint(site_.backends[b])), ports_,
                      0, core.random, registry.port_chunks));
        registry.paths.set(pool, {registry.pools[pool], registry.backends[b]});
        ++pool;
      }
    }
  }

  std::unique_ptr<Snapshot> make_snapshot(uint64_t generation) const {
    auto s = std::make_unique<Snapshot>();
    s->network_generation = generation;
    const uint32_t own[] = {site_.client_side_ip, site_.backend_side_ip};
    for (uint16_t i = 0; i < 2; i++) {
      const net::Ipv4Prefix prefix{ip(own[i]), 16};
      InterfaceView interface {
        i == 0 ? "client" : "backend", i, {}, {{prefix}}, {}
      };
      write_balancer_mac(interface.mac.bytes.data(), static_cast<Side>(i));
      interface.mtu = i == 0 ? scenario_.client_mtu : scenario_.backend_mtu;
      // What a packet grows by in the other family, which the models know nothing of.
      if (families_.is_v6(i)) interface.mtu = static_cast<uint16_t>(interface.mtu + 20);
      s->interfaces.push_back(interface);
      s->interface_of_port.push_back(i);
      s->v4.routes.push_back({prefix, {}, i, prefix.address});
    }
    if (site_.gateway_ip != 0) s->v4.routes.push_back({{}, ip(site_.gateway_ip), 0, ip(own[0])});
    s->services.push_back(make_service(generation % 2 == 1));
    for (size_t b = 0; b < site_.backends.size(); b++) {
      for (size_t i = 0; i < site_.local_ips.size(); i++) {
        s->pools.push_back({pool_id(b, i), net::Protocol::kTcp, ip(site_.local_ips[i]),
                            endpoint(site_.backends[b])});
      }
    }
    s->v4.own_everywhere.push_back(ip(site_.vip.ip));
    for (const uint32_t local : site_.local_ips) {
      s->v4.own_everywhere.push_back(ip(local));
      s->v4.locals.push_back(ip(local));
    }
    s->mss_clamp = scenario_.mss_clamp;
    s->proxy_forms = {{net::ProxyVersion::kV2, {}}};
    s->reuse.policy = policy_of(scenario_.reuse);
    s->timeouts_ms = timeouts_of(scenario_.timeouts);
    test::move_to(families_, *s);
    s->seal();
    return s;
  }

  PoolId pool_id(size_t backend, size_t local) const {
    return static_cast<PoolId>(backend * site_.local_ips.size() + local);
  }

  ServiceView make_service(bool changed) const {
    ServiceView service{};
    service.id = 0;
    service.name = "simulated";
    service.vip = endpoint(site_.vip);
    service.on_refusal = OnRefusal::kReset;
    service.reset_on_timeout = true;
    service.rewrite_timestamps = scenario_.rewrite_timestamps;
    service.mss_clamp = scenario_.mss_clamp;
    if (scenario_.header_bytes != 0) service.proxy_form = 0;
    service.guard.client_connections = scenario_.client_connections;
    service.guard.client_bits_v6 = 128;  // what an IPv4 address becomes
    const size_t count = site_.backends.size() - (changed ? 1 : 0);
    for (size_t b = 0; b < count; b++) {
      BackendView backend{static_cast<BackendId>(b), endpoint(site_.backends[b]), 1, {}};
      if (changed && b == 0) backend.weight = 2;
      if (down_[b]) backend.weight = 0;
      for (size_t i = 0; i < site_.local_ips.size(); i++) backend.paths.push_back(pool_id(b, i));
      for (uint32_t turn = 0; turn < backend.weight; turn++)
        service.wrr_order.push_back(static_cast<uint16_t>(b));
      service.backends.push_back(backend);
    }
    return service;
  }

  const test::Families families_ = test::families_of_run();
  const Scenario& scenario_;
  const Site& site_;
  Wire& wire_;
  rte_mempool* packets_;
  Rng rng_;
  std::vector<bool> down_;
  std::shared_ptr<const PortShares> ports_;
  std::unique_ptr<Snapshot> snapshot_;  // outlives the core that reads it
  std::unique_ptr<KeptArena> arena_;    // as well
  std::unique_ptr<Core> core_;
  std::vector<std::unique_ptr<KeptArena>> copies_;
  Life trial_;
  bool dead_ = false;
  uint64_t kills_tried_ = 0;
  std::string broken_;
  unsigned buffers_lost_ = 0;  // with those that were killed before
};

}  // namespace

std::unique_ptr<Balancer> make_sluice(const Scenario& scenario, const Site& site, Wire& wire,
                                      uint64_t seed) {
  return std::make_unique<SluiceBalancer>(scenario, site, wire, seed);
}

}  // namespace sluice::sim
