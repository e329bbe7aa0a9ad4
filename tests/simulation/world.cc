// SPDX-License-Identifier: BSD-3-Clause
// The event loop, and what each event means.
#include "tests/simulation/world.h"

namespace sluice::sim {
namespace {

constexpr size_t kBurstMax = 32;
constexpr uint32_t kVipIp = 0x0a030001;           // 10.3.0.1
constexpr uint32_t kFirstLocalIp = 0x0a020001;    // 10.2.0.1
constexpr uint32_t kFirstBackendIp = 0x0a02000a;  // 10.2.0.10
constexpr uint32_t kClientSideIp = 0x0a01fffe;    // 10.1.255.254
constexpr uint32_t kBackendSideIp = 0x0a02fffe;   // 10.2.255.254
constexpr uint32_t kGatewayIp = 0x0a01fffd;       // 10.1.255.253
constexpr uint32_t kFirstClientIp = 0x0a010001;
constexpr uint16_t kServicePort = 80;
// Longer than any program's patience and any idle time.
constexpr TimeUs kDrainUs = 420 * kSecond;

Site make_site(const Scenario& scenario) {
  Site site;
  site.vip = {kVipIp, kServicePort};
  for (uint32_t i = 0; i < scenario.backends; i++)
    site.backends.push_back({kFirstBackendIp + i, kServicePort});
  for (uint32_t i = 0; i < scenario.local_ips; i++) site.local_ips.push_back(kFirstLocalIp + i);
  site.port_first = scenario.port_first;
  site.port_last = scenario.port_last;
  site.client_side_ip = kClientSideIp;
  site.backend_side_ip = kBackendSideIp;
  if (scenario.flood_per_ms != 0) site.gateway_ip = kGatewayIp;
  return site;
}

}  // namespace

World::World(const Scenario& scenario, uint64_t seed, const MakeBalancer& make)
    : scenario_(scenario),
      site_(make_site(scenario)),
      rng_(seed),
      checker_(scenario, site_, connections_, trace_),
      network_(scenario, events_, rng_, connections_, checker_, trace_),
      flood_(scenario, site_, network_),
      clients_(scenario, site_, seed, network_, events_, connections_, checker_, rng_),
      balancer_(make(scenario, site_, network_, seed)) {
  checker_.set_resets_idle(balancer_->account().known);
  for (uint16_t i = 0; i < scenario.backends; i++) {
    backends_.push_back(
        std::make_unique<BackendHost>(i, scenario.stacks[i % scenario.stacks.size()], ~seed, seed,
                                      network_, events_, connections_, checker_));
    backends_.back()->expect_header(scenario.header_bytes);
  }
}

void World::start() {
  network_.now = kSecond;  // time 0 means never in many a place
  for (uint32_t i = 0; scenario_.neighbours_known && i < scenario_.clients; i++)
    network_.introduce(Side::client, kFirstClientIp + i, site_.client_side_ip);
  for (size_t i = 0; scenario_.neighbours_known && i < site_.backends.size(); i++)
    network_.introduce(Side::backend, site_.backends[i].ip, site_.backend_side_ip);
  for (uint32_t i = 0; i < scenario_.users; i++)
    events_.put(2 * kSecond + rng_.below(100 * kMillisecond), EventKind::open);
  events_.put(network_.now, EventKind::housekeeping);
  if (scenario_.restart_every_us != 0)
    events_.put(2 * kSecond + until_restart(), EventKind::restart);
  if (scenario_.death_every_us != 0)
    events_.put(2 * kSecond + scenario_.death_every_us, EventKind::death);
  if (scenario_.forge_every_us != 0) events_.put(2 * kSecond, EventKind::forge);
  if (scenario_.reload_every_us != 0)
    events_.put(2 * kSecond + scenario_.reload_every_us, EventKind::reload);
  if (scenario_.flood_per_ms != 0) events_.put(3 * kSecond, EventKind::flood);
  if (scenario_.stranger_every_us != 0) events_.put(2 * kSecond, EventKind::stranger);
}

Outcome World::run(uint64_t connections) {
  to_open_ = connections;
  start();
  while (to_open_ != 0 && !checker_.violation()) step();
  if (!checker_.violation()) drain();
  return {checker_.violation(), checker_.figures(), balancer_->account(), network_.now, digest_};
}

// No more connections; everyone's patience ends, and nothing may be left.
void World::drain() {
  housekeeping_every_us_ = 10 * kMillisecond;
  const TimeUs end = network_.now + kDrainUs;
  while (network_.now < end && !checker_.violation()) step();
  if (checker_.violation()) return;
  checker_.drained(balancer_->account(), network_.now);
}

void World::step() {
  const Event event = events_.take();
  network_.now = event.at;
  checker_.set_now(event.at);
  digest_ = mix(digest_ + event.at * 31 + event.subject + static_cast<uint64_t>(event.kind));
  handle(event);
}

void World::handle(const Event& e) {
  switch (e.kind) {
    case EventKind::open:
      if (to_open_ == 0) return;
      if (clients_.open()) to_open_--;
      return;
    case EventKind::client_arrival:
      deliver_to_client(network_.view(e.subject));
      return network_.release(e.subject);
    case EventKind::backend_arrival:
      deliver_to_backend(network_.view(e.subject));
      return network_.release(e.subject);
    case EventKind::inbound_arrival:
      return collect(Side::client, e.subject);
    case EventKind::outbound_arrival:
      return collect(Side::backend, e.subject);
    case EventKind::client_timer:
      return clients_.on_timer(e.subject);
    case EventKind::backend_timer:
      return backends_[e.subject & 255]->on_timer(e.subject >> 8, e.check);
    case EventKind::flush:
      return flush();
    case EventKind::housekeeping:
      is_fatal(scenario_.kill_ppm / 8) ? kill_idle(e.at) : balancer_->housekeeping(e.at);
      return events_.put(e.at + housekeeping_every_us_, EventKind::housekeeping);
    case EventKind::stranger:
      intrude();
      if (to_open_ != 0) events_.put(e.at + scenario_.stranger_every_us, EventKind::stranger);
      return;
    case EventKind::restart:
      if (to_open_ == 0) return;
      flush();
      checker_.restarted(e.at);
      balancer_->restart(e.at);
      return events_.put(e.at + until_restart(), EventKind::restart);
    case EventKind::forget:
      return forget(e.subject);
    case EventKind::death:
      return kill_backend();
    case EventKind::revival:
      backends_[e.subject]->revive();
      return balancer_->set_down(e.subject, false);
    case EventKind::forge:
      forge();
      if (to_open_ != 0) events_.put(e.at + scenario_.forge_every_us, EventKind::forge);
      return;
    case EventKind::flood:
      return flood();
    case EventKind::reload:
      checker_.figures().reloads++;
      balancer_->reload(e.at);
      if (to_open_ != 0) events_.put(e.at + scenario_.reload_every_us, EventKind::reload);
      return;
  }
}

void World::forget(ConnectionId id) {
  if (Connection* c = connections_.find(id)) c->forgotten = true;
  for (const auto& backend : backends_) backend->forget(id);
}

void World::kill_backend() {
  if (to_open_ == 0) return;
  const uint32_t index = rng_.below(static_cast<uint32_t>(backends_.size()));
  backends_[index]->die();
  checker_.note_death();
  balancer_->set_down(index, true);
  connections_.each_live([&](Connection& c) {
    if (c.has_tuple && c.tuple_leads_to == index) clients_.give_up(c);
  });
  events_.put(network_.now + scenario_.death_every_us / 2, EventKind::revival, index);
  events_.put(network_.now + scenario_.death_every_us, EventKind::death);
}

void World::flood() {
  const TimeUs half = scenario_.flood_every_us / 2;
  const bool on = to_open_ != 0 && (network_.now / half) % 2 != 0;
  if (on != flood_on_) checker_.set_flood(flood_on_ = on);
  on ? flood_.tick() : flood_.begin();
  if (to_open_ != 0 || flood_on_) events_.put(network_.now + kMillisecond, EventKind::flood);
}

void World::forge() {
  const uint32_t number = rng_.below(1 << 16);
  if (number % 2 == 0) {
    network_.forge(Side::backend, site_.backends[number / 2 % site_.backends.size()].ip);
  } else {
    network_.forge(Side::client, kFirstClientIp + number % scenario_.clients);
  }
}

// Never in step with the whole seconds of a client's retransmissions: it would lose every one of
// them.
TimeUs World::until_restart() {
  const auto every = static_cast<uint32_t>(scenario_.restart_every_us);
  return every / 2 + rng_.below(every);
}

// Who sweeps all numbers hits a window now and then; here each segment does. Its acknowledgement
// never fits, and its RST is never at the number that is expected.
void World::intrude() {
  const Connection* c = connections_.recent(rng_.below(2 * scenario_.users));
  // A handshake that is not done at the backend would be ended by any RST in its window (Linux).
  if (c == nullptr || !c->live || c->client.received() == 0) return;
  Segment s;
  s.source = c->client_address();
  s.destination = site_.vip;
  s.window = kStrangersWindow;
  s.seq = c->client.snd_max() + 1 + rng_.below(60'000);
  s.ack = c->client.rcv_nxt() + (1u << 29) + rng_.below(1u << 29);
  for (const int flags : {int{kAck}, kFin | kAck, int{kRst}}) {
    s.flags = static_cast<uint8_t>(flags);
    network_.from_stranger(s);
  }
}

void World::deliver_to_client(FrameView frame) {
  if (PathError error; decode(frame, error)) return clients_.receive(error);
  Segment s;
  if (decode(frame, s) != Decoded::ok) return;
  is_spoofed(s.destination) ? flood_.receive(s) : clients_.receive(s);
}

// By the Ethernet address: on the direct path all backends listen on one IPv4 address.
void World::deliver_to_backend(FrameView frame) {
  const uint32_t index = frame[5] - (kFirstBackendIp & 255);
  if (index >= backends_.size()) return;
  if (PathError error; decode(frame, error)) return backends_[index]->receive(error);
  Segment s;
  if (decode(frame, s) != Decoded::ok) return;
  if (Connection* c = s.is_syn() ? connections_.find(s.identity) : nullptr)
    c->tuple_leads_to = index;
  backends_[index]->receive(s);
}

void World::collect(Side side, FrameId frame) {
  auto& burst = burst_[static_cast<int>(side)];
  burst.push_back(frame);
  if (scenario_.burst_us == 0 || burst.size() == kBurstMax) return flush();
  if (flush_pending_) return;
  flush_pending_ = true;
  events_.put(network_.now + scenario_.burst_us, EventKind::flush);
}

void World::flush() {
  flush_pending_ = false;
  for (const Side side : {Side::client, Side::backend}) {
    auto& burst = burst_[static_cast<int>(side)];
    if (burst.empty()) continue;
    FrameView views[kBurstMax];
    for (size_t i = 0; i < burst.size(); i++) views[i] = network_.view(burst[i]);
    if (is_fatal(scenario_.kill_ppm)) {
      kill_in({views, burst.size()}, side);
    } else {
      balancer_->receive(side, {views, burst.size()}, network_.now);
    }
    for (const FrameId frame : burst) network_.release(frame);
    burst.clear();
  }
}

bool World::is_fatal(uint32_t ppm) {
  return ppm != 0 && to_open_ != 0 && rng_.below(1'000'000) < ppm;
}

// Most packets are short ways through the core, some are long ones.
uint64_t World::stores_until_death() {
  return rng_.below(uint32_t{1} << (1 + rng_.below(8)));
}

void World::kill_in(std::span<const FrameView> burst, Side side) {
  const size_t at = rng_.below(static_cast<uint32_t>(burst.size()));
  balancer_->kill(side, burst, at, stores_until_death(), network_.now);
  checker_.killed(burst, at, network_.now);
  checker_.came_back(balancer_->account());
}

void World::kill_idle(TimeUs now) {
  balancer_->kill_idle(stores_until_death(), now);
  checker_.killed({}, 0, now);
  checker_.came_back(balancer_->account());
}

void World::print_trace(std::FILE* file) {
  if (!checker_.violation()) return;
  const ConnectionId id = checker_.violation()->connection;
  const Connection* c = connections_.find(id);
  trace_.print(file, id, c != nullptr && c->has_tuple ? &c->tuple : nullptr);
}

}  // namespace sluice::sim
