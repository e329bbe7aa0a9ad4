// SPDX-License-Identifier: BSD-3-Clause
// Builds a core for a scenario's site and turns frames into buffers and back.
#include "tests/simulation/sluice_balancer.h"

#include <rte_mbuf.h>

#include <cstring>

#include "dataplane/stage/pipeline.h"
#include "dataplane/worker/packet_balance.h"
#include "tests/families/families.h"
#include "tests/simulation/eal.h"
#include "tests/simulation/network.h"

namespace sluice::sim {
namespace {

constexpr uint32_t kClientsMax = 1024;
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
        down_(site.backends.size()) {
    start(kSecond);
  }

  void receive(Side side, std::span<const FrameView> burst, TimeUs now) override {
    core_->now_ms = now / kMillisecond;
    rte_mbuf* buffers[kBurstMax];
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
    run_burst(*core_, static_cast<uint16_t>(side), buffers, count);
    core_->tx.flush();
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
      if (out) self->wire_.emit(static_cast<Side>(port), *out);
    }
    return count;
  }

  void start(TimeUs now) {
    buffers_lost_ = rte_mempool_in_use_count(packets_);
    CoreSetup setup{};
    setup.limits.flow_count_max = scenario_.flows_max;
    if (scenario_.client_connections != 0) setup.limits.client_count_max = kClientsMax;
    setup.secret = {rng_.next(), rng_.next()};
    setup.packets = packets_;
    setup.transmit = transmit;
    setup.transmit_context = this;
    setup.now_ms = now / kMillisecond;
    setup.wall_clock_ms = kWallClockMs + setup.now_ms;
    core_ = std::make_unique<Core>(setup);
    if (families_.v6_clients) core_->flows.enable_v6();
    fill_registry(core_->registry);
    snapshot_ = make_snapshot(0);
    adopt_snapshot(*core_, *snapshot_);
    core_->tx.flush();
  }

  // Backend b has the pools b * local_ips ... (b + 1) * local_ips - 1.
  void fill_registry(Registry& registry) {
    registry.services.set(0, std::make_unique<ServiceState>(
                                 test::endpoint_in(families_.v6_clients, endpoint(site_.vip))));
    registry.make_clock_maps(scenario_.flows_max);
    const auto ports = deal_ports({site_.port_first, site_.port_last}, 1, net::Random({5, 6}));
    PoolId pool = 0;
    for (size_t b = 0; b < site_.backends.size(); b++) {
      registry.backends.set(b, std::make_unique<BackendState>(static_cast<BackendId>(b)));
      for (const uint32_t local : site_.local_ips) {
        registry.pools.set(
            pool, std::make_unique<PoolState>(
                      test::address_in(families_.v6_backends, ip(local)),
                      test::endpoint_in(families_.v6_backends, endpoint(site_.backends[b])), ports,
                      0, core_->random, registry.port_chunks));
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
  std::unique_ptr<Snapshot> snapshot_;  // outlives the core that reads it
  std::unique_ptr<Core> core_;
  unsigned buffers_lost_ = 0;  // with those that were killed before
};

}  // namespace

std::unique_ptr<Balancer> make_sluice(const Scenario& scenario, const Site& site, Wire& wire,
                                      uint64_t seed) {
  return std::make_unique<SluiceBalancer>(scenario, site, wire, seed);
}

}  // namespace sluice::sim
