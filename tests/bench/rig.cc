// SPDX-License-Identifier: BSD-3-Clause
// The rig.
#include "tests/bench/rig.h"

#include <rte_errno.h>
#include <rte_lcore.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>

#include "dataplane/stage/exception_path.h"
#include "dataplane/stage/pipeline.h"
#include "dataplane/stage/seq_adjust.h"
#include "dataplane/state/scheduler.h"

namespace sluice::bench {

using net::be16;
using net::be32;

namespace {

constexpr be32 kGateway = be32::from_host(0x0a01ff01);

net::Ipv4Endpoint backend(uint32_t number) {
  return {be32::from_host(0x0a02000a + number), be16::from_host(80)};
}

be32 local(uint32_t number) {
  return be32::from_host(0x0a020101 + number);
}

/// Nothing in DPDK's heap may have the same name twice.
std::string next_name() {
  static int number = 0;
  return "bench-" + std::to_string(number++);
}

rte_mempool* make_packets() {
  const std::string name = next_name();
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                              static_cast<int>(rte_socket_id()));
  if (pool == nullptr) Rig::fail(rte_strerror(rte_errno));
  return pool;
}

}  // namespace

RigOptions room_for(uint32_t flows, FlowIndexKind flow_index) {
  constexpr uint32_t kPorts = 64512;
  const uint32_t pools = flows / (kPorts - kPorts / 64) + 1;
  RigOptions options;
  options.flow_index = flow_index;
  options.flow_count_max = std::max(flows, 1024u);
  options.backends = std::min(pools, 16u);
  options.locals = (pools + options.backends - 1) / options.backends;
  return options;
}

void Rig::fail(const char* what) {
  std::fprintf(stderr, "core-bench: %s\n", what);
  std::exit(1);
}

void Rig::fail_of_drops(const char* what) const {
  const auto& all = core_->counters.drops;
  const auto* most = std::max_element(
      std::begin(all), std::end(all),
      [](const Counter& one, const Counter& other) { return one.value() < other.value(); });
  const std::string_view reason = net::kDropReasonTexts[most - std::begin(all)].name;
  fail((std::string(what) + ": " + std::string(reason) + " at " + std::to_string(flow_count()) +
        " flows")
           .c_str());
}

Snapshot Rig::make_snapshot(const RigOptions& options) {
  Snapshot s;
  s.interfaces = {{"client", 0, kOurMac, {{{be32::from_host(0x0a01fffe), 16}}}},
                  {"backend", 1, kOurMac, {{{be32::from_host(0x0a02fffe), 16}}}}};
  s.interface_of_port = {0, 1};
  s.v4.routes = {{{be32::from_host(0x0a400000), 10}, kGateway, 0, {}},
                 {{be32::from_host(0x0a010000), 16}, {}, 0, {}},
                 {{be32::from_host(0x0a020000), 16}, {}, 1, {}}};
  s.v4.own_everywhere = {kVip.ip};
  s.half_open_percent = 100;  // what is opened here is no flood
  ServiceView service{};
  service.name = "bench";
  service.vip = kVip;
  service.protocol = options.protocol;
  service.udp_one_shot = options.udp_one_shot;
  service.on_refusal = options.on_refusal;
  service.reset_on_timeout = true;
  service.rewrite_timestamps = options.rewrite_timestamps;
  for (uint32_t l = 0; l < options.locals; ++l) {
    s.v4.locals.push_back(local(l));
    s.v4.own_everywhere.push_back(local(l));
  }
  for (uint32_t b = 0; b < options.backends; ++b) {
    if (options.pinned) s.interfaces[kBackendSide].v4.pinned.push_back({backend(b).ip, kPeerMac});
    BackendView view{static_cast<BackendId>(b), backend(b), 1, {}};
    for (uint32_t l = 0; l < options.locals; ++l) {
      const auto id = static_cast<PoolId>(b * options.locals + l);
      view.paths.push_back(id);
      s.pools.push_back({id, options.protocol, local(l), view.address});
    }
    service.backends.push_back(view);
  }
  prepare_scheduler(service);
  s.services = {service};
  test::move_to(options.families, s);
  s.seal();
  return s;
}

Rig::Rig(const RigOptions& options)
    : families_(options.families),
      memory_(static_cast<int>(rte_socket_id())),
      pool_memory_(static_cast<int>(rte_socket_id())),
      packets_(make_packets()),
      snapshot_(make_snapshot(options)) {
  CoreSetup setup{};
  setup.limits = {options.flow_count_max, options.neighbour_count_max, options.syn_count_max,
                  options.flow_index};
  setup.numa_socket = static_cast<int>(rte_socket_id());
  setup.secret = {1, 2};  // the same run each time
  setup.memory = &memory_;
  setup.packets = packets_;
  setup.transmit = transmit;
  setup.transmit_context = this;
  setup.now_ms = rte_rdtsc() / cycles_per_ms_;
  core_ = std::make_unique<Core>(setup);
  core_->registry.port_chunks.set_memory(&pool_memory_);
  const auto shares = deal_ports(options.ports, options.workers, net::Random({3, 4}));
  if (families_.any()) core_->flows.enable_v6();
  core_->registry.services.set(0, std::make_unique<ServiceState>(snapshot_.services[0].vip));
  for (const BackendView& view : snapshot_.services[0].backends) {
    core_->registry.backends.set(view.id, std::make_unique<BackendState>(view.id));
    for (uint32_t l = 0; l < options.locals; ++l) {
      const PathId id = view.paths[l];  // its pool's as well
      core_->registry.pools.set(
          id,
          std::make_unique<PoolState>(snapshot_.pools[id].local, view.address, shares,
                                      options.worker, core_->random, core_->registry.port_chunks));
      core_->registry.pools[id]->ports.take_all_memory();
      core_->registry.paths.set(id, {core_->registry.pools[id], core_->registry.backends[view.id]});
    }
  }
  for (uint16_t side = 0; options.kernel && side < std::size(doors_); ++side) {
    doors_[side] = std::make_unique<KernelRings>(next_name(), static_cast<int>(rte_socket_id()));
    core_->kernel_rings[side] = doors_[side].get();
  }
  adopt_snapshot(*core_, snapshot_);
  while (core_->next_hops.is_adopting()) core_->next_hops.tick(snapshot_, core_->now_ms);
  while (core_->next_hops6.is_adopting()) core_->next_hops6.tick(snapshot_, core_->now_ms);
  learn_all();
  core_->tx.flush();
}

Rig::~Rig() {
  core_.reset();
  for (auto& door : doors_) door.reset();
  rte_mempool_free(packets_);
}

/// Neighbours answer; they would be forgotten when they are asked again in vain.
void Rig::learn_all() {
  learnt_ms_ = core_->now_ms;
  learn(test::address_in(is_v6(kClientSide), kGateway), kClientSide);
  const InterfaceView& backends = snapshot_.interfaces[kBackendSide];
  if (!backends.v4.pinned.empty() || !backends.v6.pinned.empty()) return;
  for (const BackendView& view : snapshot_.services[0].backends) {
    learn(view.address.ip, kBackendSide);
  }
}

/// What an ARP reply or a neighbour advertisement does; adopt_snapshot() has asked for it.
void Rig::learn(net::IpAddress ip, uint16_t interface) {
  if (ip.is_v4()) {
    core_->next_hops.learn(snapshot_, {ip.v4(), kPeerMac}, interface, false, true, now_ms());
  } else {
    core_->next_hops6.learn(snapshot_, {ip.v6(), kPeerMac}, interface, false, true, now_ms());
  }
}

rte_mbuf** Rig::take(uint16_t count) {
  if (rte_pktmbuf_alloc_bulk(packets_, burst_, count) != 0) fail("no buffers");
  return burst_;
}

void Rig::run(uint16_t interface, uint16_t count) {
  if (pipeline) {
    run_burst(*core_, interface, burst_, count);
  } else {
    transmit(this, interface ^ 1, burst_, count);
  }
}

void Rig::adopt(const Snapshot& snapshot) {
  adopt_snapshot(*core_, snapshot);
}

void Rig::flush() {
  if (!pipeline) return;
  send_from_kernels(*core_);
  core_->tx.flush();
}

void Rig::tick() {
  const uint64_t now = rte_rdtsc() / cycles_per_ms_;
  if (now == core_->now_ms || !pipeline) return;
  set_time(now);
}

void Rig::set_time(uint64_t now_ms) {
  constexpr uint64_t kLearnAgainMs = 1000;
  core_->now_ms = now_ms;
  if (now_ms - learnt_ms_ >= kLearnAgainMs) learn_all();
  run_housekeeping(*core_);
  core_->tx.flush();
}

uint16_t Rig::transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count) {
  auto& rig = *static_cast<Rig*>(self);
  if (rig.recording_[port]) {
    for (uint16_t i = 0; i < count; ++i) {
      rig.sent_[port].push_back(
          {tuple_of(packets[i]), sequence_of(packets[i]), tsval_of(packets[i])});
    }
  }
  rte_pktmbuf_free_bulk(packets, count);
  return count;
}

uint64_t Rig::events(Event event) const {
  return core_->counters.events[static_cast<size_t>(event)].value();
}

uint64_t Rig::drops(net::DropReason reason) const {
  return core_->counters.drops[static_cast<size_t>(reason)].value();
}

uint64_t Rig::drops() const {
  const auto& all = core_->counters.drops;
  return std::accumulate(std::begin(all), std::end(all), uint64_t{0},
                         [](uint64_t sum, const Counter& drop) { return sum + drop.value(); });
}

uint64_t Rig::grants(Counter PortPool::Counters::*kind) const {
  uint64_t sum = 0;
  for (const auto& pool : core_->registry.pools) {
    if (pool) sum += (pool->ports.counters().*kind).value();
  }
  return sum;
}

void Rig::alter_flows(bool rewrite, net::SeqAdjust adjust) {
  if (rewrite && !core_->registry.clock_maps.is_made()) {
    core_->registry.clock_maps.make(core_->flows.flow_count_max());
  }
  for (uint32_t i = 0; i < core_->flows.flow_count_max(); ++i) {
    if (!core_->flows[i].live) continue;
    Flow& flow = core_->flows[i];
    flow.adjust = adjust;
    flow.rewrite_timestamps = rewrite;
    flow.adjusted = rewrite || adjust.any();
    if (rewrite) core_->clock_map(i).start(1000, pool_clock(*core_, core_->pool(flow)));
  }
}

}  // namespace sluice::bench
