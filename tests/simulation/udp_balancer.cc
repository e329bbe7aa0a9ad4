// SPDX-License-Identifier: BSD-3-Clause
// A core for two UDP services.
#include "tests/simulation/udp_balancer.h"

#include <rte_mbuf.h>

#include <cstring>
#include <utility>

#include "dataplane/stage/pipeline.h"
#include "dataplane/state/scheduler.h"
#include "dataplane/worker/packet_balance.h"
#include "tests/simulation/eal.h"

namespace sluice::sim {
namespace {

constexpr PortRange kPorts{2000, 2511};
constexpr uint16_t kServicePorts[] = {kOneShotPort, kConversationPort};
constexpr net::be32 kLocal = net::be32::from_host(0x0a020001);
constexpr net::be32 kGateway = net::be32::from_host(0x0a01ff01);

net::Ipv4Endpoint endpoint(uint32_t ip, uint16_t port) {
  return {net::be32::from_host(ip), net::be16::from_host(port)};
}

}  // namespace

UdpBalancer::UdpBalancer(Rng& rng, Emit emit) : emit_(std::move(emit)), packets_(packet_pool()) {
  CoreSetup setup{};
  setup.limits.flow_count_max = 1024;
  setup.secret = {rng.next(), rng.next()};
  setup.packets = packets_;
  setup.transmit = transmit;
  setup.transmit_context = this;
  setup.now_ms = 1000;
  core_ = std::make_unique<Core>(setup);
  if (families_.v6_clients) core_->flows.enable_v6();
  Registry& registry = core_->registry;
  const auto shares = deal_ports(kPorts, 1, net::Random({rng.next(), 6}));
  for (uint16_t s = 0; s < std::size(kServicePorts); ++s) {
    registry.services.set(s, std::make_unique<ServiceState>(test::endpoint_in(
                                 families_.v6_clients, endpoint(kUdpVip, kServicePorts[s]))));
    for (uint32_t b = 0; b < kUdpBackends; ++b) {
      const uint32_t id = s * kUdpBackends + b;
      registry.backends.set(id, std::make_unique<BackendState>(id));
      registry.pools.set(id,
                         std::make_unique<PoolState>(
                             test::address_in(families_.v6_backends, kLocal),
                             test::endpoint_in(families_.v6_backends,
                                               endpoint(kUdpBackendFirst + b, kServicePorts[s])),
                             shares, 0, core_->random, registry.port_chunks));
      registry.paths.set(id, {registry.pools[id], registry.backends[id]});
    }
  }
  registry.port_chunks.refill();
  snapshot_ = make_snapshot();
  adopt_snapshot(*core_, *snapshot_);
  core_->tx.flush();
}

UdpBalancer::~UdpBalancer() = default;

std::unique_ptr<Snapshot> UdpBalancer::make_snapshot() const {
  auto s = std::make_unique<Snapshot>();
  s->network_generation = generation_;
  s->interfaces = {{"client", 0, macs_[0], {{{net::be32::from_host(0x0a01fffe), 16}}}},
                   {"backend", 1, macs_[1], {{{net::be32::from_host(0x0a02fffe), 16}}}}};
  s->interface_of_port = {0, 1};
  s->v4.routes = {{{net::be32::from_host(0x0a010000), 16}, {}, 0, net::be32::from_host(0x0a01fffe)},
                  {{net::be32::from_host(0x0a020000), 16}, {}, 1, net::be32::from_host(0x0a02fffe)},
                  {{}, kGateway, 0, net::be32::from_host(0x0a01fffe)}};
  s->v4.own_everywhere = {net::be32::from_host(kUdpVip), kLocal};
  s->v4.locals = {kLocal};
  for (uint16_t i = 0; i < std::size(kServicePorts); ++i) {
    ServiceView service{};
    service.id = i;
    service.protocol = net::Protocol::kUdp;
    service.vip = endpoint(kUdpVip, kServicePorts[i]);
    service.udp_idle_ms = kUdpIdleMs;
    service.udp_one_shot = kServicePorts[i] == kOneShotPort;
    for (uint32_t b = 0; b < kUdpBackends; ++b) {
      const PathId id = i * kUdpBackends + b;
      const net::Ipv4Endpoint address = endpoint(kUdpBackendFirst + b, kServicePorts[i]);
      s->pools.push_back({id, net::Protocol::kUdp, kLocal, address});
      if (generation_ % 2 == 0 || b + 1 < kUdpBackends) {
        service.backends.push_back({id, address, 1, {id}});
      }
    }
    prepare_scheduler(service);
    s->services.push_back(std::move(service));
  }
  test::move_to(families_, *s);
  s->seal();
  return s;
}

/// Neighbours answer, always.
void UdpBalancer::learn(TimeUs now) {
  core_->now_ms = now / kMillisecond;
  const auto answer = [&](net::be32 ip, net::be32 to, uint16_t interface) {
    struct {
      net::EthernetHeader ethernet;
      net::ArpHeader arp;
    } reply = {{macs_[interface], {{2, 0, 0, 0, 0, 9}}, net::kEtherTypeArp},
               {net::be16::from_host(1),
                net::kEtherTypeIpv4,
                6,
                4,
                net::kArpReply,
                {{2, 0, 0, 0, 0, 9}},
                ip,
                macs_[interface],
                to}};
    pass({reinterpret_cast<const uint8_t*>(&reply), sizeof reply}, interface);
  };
  answer(kGateway, net::be32::from_host(0x0a01fffe), 0);
  for (uint32_t b = 0; b < kUdpBackends; ++b) {
    answer(net::be32::from_host(kUdpBackendFirst + b), net::be32::from_host(0x0a02fffe), 1);
  }
}

void UdpBalancer::pass(std::span<const uint8_t> frame, uint16_t interface) {
  rte_mbuf* buffer = rte_pktmbuf_alloc(packets_);
  if (buffer == nullptr) return;
  const test::Frame in =
      families_.is_v6(interface) ? test::to_v6(frame) : test::Frame(frame.begin(), frame.end());
  std::memcpy(rte_pktmbuf_append(buffer, static_cast<uint16_t>(in.size())), in.data(), in.size());
  run_burst(*core_, interface, &buffer, 1);
  core_->tx.flush();
}

void UdpBalancer::receive(bool from_client, std::span<const uint8_t> frame, TimeUs now) {
  core_->now_ms = now / kMillisecond;
  pass(frame, from_client ? 0 : 1);
}

void UdpBalancer::housekeeping(TimeUs now) {
  core_->now_ms = now / kMillisecond;
  if (core_->now_ms % 500 == 0) learn(now);
  run_housekeeping(*core_);
  core_->registry.port_chunks.refill();
  core_->tx.flush();
}

void UdpBalancer::reload() {
  ++generation_;
  auto next = make_snapshot();
  adopt_snapshot(*core_, *next);
  snapshot_ = std::move(next);
  core_->tx.flush();
}

uint16_t UdpBalancer::transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count) {
  for (uint16_t i = 0; i < count; ++i) {
    const auto out =
        test::to_v4({rte_pktmbuf_mtod(packets[i], const uint8_t*), packets[i]->data_len});
    rte_pktmbuf_free(packets[i]);
    if (out) static_cast<UdpBalancer*>(self)->emit_(port == 0, *out);
  }
  return count;
}

uint64_t UdpBalancer::ports_in_use() const {
  uint64_t sum = 0;
  for (const auto& pool : core_->registry.pools) {
    if (pool != nullptr) sum += pool->ports.counters().in_use.value();
  }
  return sum;
}

uint64_t UdpBalancer::drops(net::DropReason reason) const {
  return core_->counters.drops[static_cast<size_t>(reason)].value();
}

uint64_t UdpBalancer::events(Event event) const {
  return core_->counters.events[static_cast<size_t>(event)].value();
}

int64_t UdpBalancer::unaccounted() const {
  return balance_of(core_->counters).unaccounted();
}

}  // namespace sluice::sim
