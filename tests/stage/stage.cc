// SPDX-License-Identifier: BSD-3-Clause
// The stage's machinery.
#include "tests/stage/stage.h"

#include "dataplane/stage/adopt_flows.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "dataplane/net/tcp_options.h"
#include "dataplane/worker/packet_balance.h"

namespace sluice::test {
namespace {

/// Leaves the first `bytes` of a frame in its buffer, and the rest in a second one.
void cut(rte_mbuf* frame, uint16_t bytes) {
  if (frame->data_len <= bytes) return;
  rte_mbuf* tail = rte_pktmbuf_alloc(packet_pool());
  ASSERT_NE(tail, nullptr);
  const auto rest = static_cast<uint16_t>(frame->data_len - bytes);
  std::memcpy(rte_pktmbuf_append(tail, rest), rte_pktmbuf_mtod_offset(frame, uint8_t*, bytes),
              rest);
  rte_pktmbuf_trim(frame, rest);
  ASSERT_EQ(rte_pktmbuf_chain(frame, tail), 0);
}

}  // namespace

void expect_all_buffers(unsigned count) {
  EXPECT_EQ(rte_mempool_avail_count(packet_pool()), count) << "buffers leak";
}

FlowIndexKind flow_index_of_run() {
  const char* const wanted = std::getenv("SLUICE_FLOW_INDEX");
  const std::string_view name = wanted == nullptr ? "compact" : wanted;
  EXPECT_TRUE(name == "compact" || name == "rte_hash") << "SLUICE_FLOW_INDEX=" << name;
  return name == "rte_hash" ? FlowIndexKind::kRteHash : FlowIndexKind::kCompact;
}

rte_mempool* packet_pool() {
  static rte_mempool* const pool =
      rte_pktmbuf_pool_create("stage", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  return pool;
}

net::MacAddress Sent::to_mac() const {
  net::MacAddress mac;
  std::copy_n(frame.begin(), 6, mac.bytes.begin());
  return mac;
}

SynNumbers Sent::numbers() const {
  const auto& tcp = *reinterpret_cast<const net::TcpHeader*>(frame.data() + kTcpAt);
  const uint8_t at = net::find_timestamps(tcp);
  return {sequence(), at == 0 ? 0 : net::tcp_word_at(tcp, at).host(), at != 0};
}

uint32_t Sent::tsecr() const {
  const auto& tcp = *reinterpret_cast<const net::TcpHeader*>(frame.data() + kTcpAt);
  const uint8_t at = net::find_timestamps(tcp);
  return at == 0 ? 0 : net::tcp_word_at(tcp, static_cast<uint8_t>(at + 4)).host();
}

std::unique_ptr<Snapshot> Stage::make_snapshot(const Scene& scene) {
  static uint64_t made_count = 0;
  auto made = std::make_unique<Snapshot>();
  made->network_generation = ++made_count;
  made->interfaces = {{"client", 0, mac(1), {{{ip4(10, 1, 255, 254), 16}}}, {}, scene.client_mtu},
                      {"backend", 1, mac(2), {{{ip4(10, 2, 0, 254), 24}}}, {}, scene.backend_mtu}};
  made->interface_of_port = {0, 1};
  made->v4.routes = {{{ip4(10, 1, 0, 0), 16}, {}, 0, ip4(10, 1, 255, 254)},
                     {{ip4(10, 2, 0, 0), 24}, {}, 1, ip4(10, 2, 0, 254)}};
  made->v4.own_everywhere = {kVip.ip};
  made->reuse.policy = scene.reuse;
  made->timeouts_ms = scene.timeouts_ms;
  ServiceView service{};
  service.name = "web";
  service.vip = kVip;
  service.protocol = scene.protocol;
  service.udp_idle_ms = scene.udp_idle_ms;
  service.udp_one_shot = scene.udp_one_shot;
  service.udp_refresh_both = scene.udp_refresh_both;
  service.scheduler = scene.scheduler;
  service.on_refusal = scene.on_refusal;
  service.reset_on_timeout = scene.reset_on_timeout;
  service.rewrite_timestamps = scene.rewrite_timestamps;
  service.mss_clamp = made->mss_clamp = scene.mss_clamp;
  service.icmp_echo = scene.icmp_echo;
  service.toa = scene.toa;
  service.syn_cookies = scene.syn_cookies;
  if (scene.proxy) {
    made->proxy_forms = {*scene.proxy};
    service.proxy_form = 0;
  }
  for (uint8_t b = 0; b < scene.backends; ++b) {
    BackendView view{b, endpoint(ip4(10, 2, 0, static_cast<uint8_t>(10 + b)), 8080), 1, {}};
    for (uint8_t l = 0; l < scene.locals; ++l) {
      const auto id = static_cast<PoolId>(b * scene.locals + l);
      view.paths.push_back(id);
      made->pools.push_back(
          {id, scene.protocol, ip4(10, 2, 0, static_cast<uint8_t>(1 + l)), view.address});
    }
    service.backends.push_back(view);
    service.wrr_order.push_back(b);
  }
  made->services = {service};
  for (uint8_t l = 0; l < scene.locals; ++l) {
    made->v4.locals.push_back(ip4(10, 2, 0, static_cast<uint8_t>(1 + l)));
    made->v4.own_everywhere.push_back(made->v4.locals.back());
  }
  move_to(families_, *made);
  made->seal();
  return made;
}

void Stage::start(const Scene& scene, const Joined& joined) {
  scene_ = scene;
  CoreSetup core_setup{};
  core_setup.limits = scene.limits;
  core_setup.limits.flow_index = flow_index_of_run();
  core_setup.secret = {1, 2};
  core_setup.packets = packet_pool();
  core_setup.transmit = transmit;
  core_setup.transmit_context = this;
  core_setup.now_ms = 0xfffff000;  // the 32-bit clock wraps within seconds
  core_setup.wall_clock_ms = 1'700'000'000'000;
  core_setup.worker = joined.worker;
  core_setup.steering = joined.steering;
  core_setup.rings = joined.rings;
  if (scene.keeps) {
    constexpr size_t kChunks = 64;
    kept_ = std::make_unique<sim::KeptArena>(scene.limits.flow_count_max, kChunks);
    core_setup.kept = kept_->memory();
  }
  buffers_at_start_ = rte_mempool_avail_count(packet_pool());
  core = std::make_unique<Core>(core_setup);
  snapshot = make_snapshot(scene);
  Steering alone;
  Steering& steering = joined.steering == nullptr ? alone : *joined.steering;
  if (families_.v6_clients) core->flows.enable_v6();
  core->registry.services.set(0, std::make_unique<ServiceState>(snapshot->services[0].vip));
  core->registry.clock_maps.make(scene.limits.flow_count_max);
  core->registry.proxy_tracks.make(scene.limits.flow_count_max);
  core->registry.splices.make(scene.limits.flow_count_max);
  for (uint8_t b = 0; b < scene.backends; ++b) {
    core->registry.backends.set(b, std::make_unique<BackendState>(b));
    const BackendView& view = snapshot->services[0].backends[b];
    for (uint8_t l = 0; l < scene.locals; ++l) {
      const net::IpAddress local =
          address_in(families_.v6_backends, ip4(10, 2, 0, static_cast<uint8_t>(1 + l)));
      const PathId id = view.paths[l];  // its pool's as well
      core->registry.pools.set(
          id, std::make_unique<PoolState>(local, view.address,
                                          steering.share_ports(local, view.address, 1, scene.ports),
                                          joined.worker, core->random, core->registry.port_chunks));
      core->registry.paths.set(id, {core->registry.pools[id], core->registry.backends[b]});
    }
  }
  core->registry.port_chunks.refill();
  adopt_snapshot(*core, *snapshot);
  flush();
  sent.clear();  // announcements
}

KeptSource Stage::left_by(const Scene& scene) {
  names_.clear();
  paths_.clear();
  const auto before = make_snapshot(scene);
  for (const PoolView& view : before->pools) {
    names_.push_back({{view.protocol, view.local, view.backend}, before->services[0].vip, true});
    const PoolId id = snapshot->pool_at(view.protocol, view.local, view.backend);
    // The number of a path is its pool's.
    paths_.push_back(id == kNoPool ? KeptSource::Path{} : KeptSource::Path{id, 0});
  }
  KeptSource source = left_->source();
  source.names = names_;
  source.paths = paths_;
  return source;
}

void Stage::start_again(const Scene& scene, uint32_t clock_shift_ms) {
  const uint64_t now_ms = core->now_ms + clock_shift_ms;
  const Scene before = scene_;
  left_ = std::move(kept_);
  core.reset();
  start(scene);
  core->now_ms = now_ms;
  sources = {left_by(before)};
  sources[0].clock_shift_ms = clock_shift_ms;
  adopt_kept(*core, sources);
  flush();
}

void Stage::adopt(std::unique_ptr<Snapshot> next) {
  adopt_snapshot(*core, *next);
  snapshot = std::move(next);
  flush();
}

uint16_t Stage::transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count) {
  auto& stage = *static_cast<Stage*>(self);
  const uint16_t taken = std::min(count, stage.tx_room);
  for (uint16_t i = 0; i < taken; ++i) {
    const auto* data = rte_pktmbuf_mtod(packets[i], const uint8_t*);
    EXPECT_EQ(packets[i]->data_len, packets[i]->pkt_len);
    const Bytes raw(data, data + packets[i]->data_len);
    const std::optional<Frame> frame = stage.as_ipv4 ? to_v4(raw) : Frame(raw);
    rte_pktmbuf_free(packets[i]);
    if (!frame) continue;
    stage.sent.push_back({port, Bytes(frame->begin(), frame->end()), raw});
    if (!stage.keep_announcements && stage.sent.back().is_announcement()) stage.sent.pop_back();
  }
  return taken;
}

void Stage::burst(uint16_t interface, const std::vector<Bytes>& frames) {
  std::vector<rte_mbuf*> buffers;
  for (const Bytes& as_ipv4 : frames) {
    const Frame frame = families_.is_v6(interface) ? to_v6(as_ipv4) : Frame(as_ipv4);
    rte_mbuf* buffer = rte_pktmbuf_alloc(packet_pool());
    ASSERT_NE(buffer, nullptr);
    std::copy(frame.begin(), frame.end(), rte_pktmbuf_mtod(buffer, uint8_t*));
    buffer->data_len = static_cast<uint16_t>(frame.size());
    buffer->pkt_len = static_cast<uint32_t>(frame.size());
    buffer->port = interface;
    if (cut_at > 0) cut(buffer, cut_at);
    buffers.push_back(buffer);
  }
  run_burst(*core, interface, buffers.data(), static_cast<uint16_t>(buffers.size()));
  flush();
}

void Stage::flush() {
  core->tx.flush();
  core->handoff.flush();
  if (answer_arp) answer_arp_requests();
}

void Stage::answer_arp_requests() {
  std::vector<Sent> asked;
  for (const Sent& s : sent) {
    if (s.is_arp()) asked.push_back(s);
  }
  std::erase_if(sent, [](const Sent& s) { return s.is_arp(); });
  for (const Sent& s : asked) {
    const auto target = net::be32::from_host(get32(s.frame, kIpAt + 24));
    const auto sender = net::be32::from_host(get32(s.frame, kIpAt + 14));
    if (target == sender) continue;  // an announcement
    const net::MacAddress ours = mac(static_cast<uint8_t>(s.port + 1));
    burst(s.port, {arp_frame({.operation = 2,
                              .sender_mac = host_mac(target),
                              .sender_ip = target,
                              .target_mac = ours,
                              .target_ip = sender,
                              .to = ours})});
  }
}

Tcp Stage::inbound(uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
                   const Bytes& options) const {
  return {.from = client_,
          .to = kVip,
          .flags = flags,
          .sequence = sequence,
          .acknowledgement = acknowledgement,
          .options = options,
          .ip = {.to = mac(1), .from = host_mac(client_.ip)}};
}

Tcp Stage::outbound(uint8_t flags, uint32_t sequence, uint32_t acknowledgement,
                    const Bytes& options) const {
  return {.from = backend_,
          .to = local_,
          .flags = flags,
          .sequence = sequence,
          .acknowledgement = acknowledgement,
          .options = options,
          .ip = {.to = mac(2), .from = host_mac(backend_.ip)}};
}

Sent Stage::only(uint16_t port) {
  EXPECT_EQ(sent.size(), 1u);
  if (sent.empty()) return {port, tcp_frame({})};
  const Sent frame = sent.front();
  sent.clear();
  EXPECT_EQ(frame.port, port);
  EXPECT_FALSE(frame.is_arp());
  EXPECT_TRUE(ip_checksum_right(frame.frame));
  EXPECT_TRUE(tcp_checksum_right(frame.frame));
  EXPECT_EQ(frame.to_mac(), host_mac(frame.to().ip));
  return frame;
}

Sent Stage::open(uint32_t sequence, const Bytes& options) {
  from_client(inbound(kSyn, sequence, 0, options));
  const Sent syn = only(kBackendLink);
  EXPECT_EQ(syn.flags(), kSyn);
  local_ = syn.from();
  backend_ = syn.to();
  return syn;
}

void Stage::establish(uint32_t client_isn, uint32_t backend_isn, const Bytes& options) {
  const Sent syn = open(client_isn, options);
  const Bytes echo =
      syn.numbers().timestamps ? option::timestamps(1, syn.numbers().tsval) : Bytes{};
  from_backend(outbound(kSynAck, backend_isn, syn.sequence() + 1, echo));
  const Sent syn_ack = only(kClientLink);
  EXPECT_EQ(syn_ack.acknowledgement(), client_isn + 1);
  from_client(inbound(kAck, client_isn + 1, backend_isn + 1, options));
  only(kBackendLink);
  EXPECT_EQ(name_of(state()), "established");
}

void Stage::close_by_backend(uint32_t client_next, uint32_t backend_next,
                             const Bytes& client_options) {
  const uint32_t adjust = core->flows[flow()].adjust.sequence;
  from_backend(outbound(kFin, backend_next, client_next + adjust));
  only(kClientLink);
  from_client(inbound(kFin, client_next, backend_next + 1, client_options));
  only(kBackendLink);
  from_backend(outbound(kAck, backend_next + 1, client_next + 1 + adjust));
  only(kClientLink);
  EXPECT_EQ(name_of(state()), "time_wait");
}

void Stage::close_by_client(uint32_t client_next, uint32_t backend_next) {
  from_client(inbound(kFin, client_next, backend_next));
  only(kBackendLink);
  from_backend(outbound(kFin, backend_next, client_next + 1));
  only(kClientLink);
  from_client(inbound(kAck, client_next + 1, backend_next + 1));
  only(kBackendLink);
  EXPECT_EQ(name_of(state()), "closed");
}

void Stage::pass(uint64_t ms, uint64_t step) {
  for (const uint64_t end = core->now_ms + ms; core->now_ms < end;) {
    core->now_ms = std::min(end, core->now_ms + step);
    run_housekeeping(*core);
    flush();
  }
}

FlowState Stage::state() const {
  return flow() == FlowTable::kNone ? FlowState::kClosed : core->flows[flow()].tcp.state();
}

void Stage::TearDown() {
  if (!core) return;
  tx_room = 65535;
  pass(scene_.end_ms, 1000);
  EXPECT_EQ(core->flows.flow_count(), 0u) << "flows leak";
  for (const Counter& flows : core->counters.flows) EXPECT_EQ(flows.value(), 0u);
  EXPECT_EQ(core->syns.free_count(), scene_.limits.syn_count_max) << "SYN slots leak";
  for (const auto& backend : core->registry.backends) {
    if (!backend) continue;
    EXPECT_EQ(backend->active.value(), 0u);
    EXPECT_EQ(backend->flows.value(), 0u);
    EXPECT_EQ(backend->half_open.count.value(), 0u);
  }
  EXPECT_EQ(core->half_open.count(), 0u);
  for (const auto& pool : core->registry.pools) {
    if (!pool) continue;
    EXPECT_EQ(pool->flows.value(), 0u);
    EXPECT_EQ(pool->ports.counters().in_use.value(), 0u) << "ports leak";
    EXPECT_EQ(pool->ports.counters().available.value() + pool->ports.counters().time_wait.value(),
              pool->ports.set().size());
  }
  const PacketBalance balance = balance_of(core->counters);
  EXPECT_EQ(balance.unaccounted(), 0) << "packets are lost, or counted twice";
  EXPECT_EQ(balance.waiting, 0u);
  const bool alone = core->handoff.worker_count() == 1;
  core.reset();
  if (alone) expect_all_buffers(buffers_at_start_);
}

}  // namespace sluice::test
