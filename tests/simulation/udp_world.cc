// SPDX-License-Identifier: BSD-3-Clause
// The UDP simulation.
#include "tests/simulation/udp_world.h"

#include <cstdio>

#include "tests/families/families.h"

namespace sluice::sim {
namespace {

// Behind the gateway.
constexpr uint32_t kClientFirst = 0x0a400001, kSpoofedFirst = 0xac100001;
constexpr uint32_t kTalkers = 24;
constexpr uint32_t kDueMax = 100;  // queries on their way at a time, late and lost ones included
constexpr uint32_t kTriesMax = 6;
constexpr uint32_t kSurelyEstablished = 4;  // answers: two of them may have come at once
constexpr TimeUs kAgain = kSecond;
// A server takes at most so long, and a packet on the way as well: a port rests longer than both.
constexpr TimeUs kLatest = 1'700 * kMillisecond, kWayMax = 40 * kMillisecond;

std::string text(Peer peer) {
  return net::to_string(net::Ipv4Address::from_host(peer.ip)) + ':' + std::to_string(peer.port);
}

}  // namespace

UdpWorld::UdpWorld(const UdpScenario& scenario, uint64_t seed)
    : scenario_(scenario),
      rng_(seed),
      balancer_(rng_, [this](bool to_client, auto frame) { emitted(to_client, frame); }) {}

void UdpWorld::at(TimeUs delay, std::function<void()> happen) {
  events_.push({now_ + delay, order_++, std::move(happen)});
}

void UdpWorld::violate(const char* invariant, const std::string& detail) {
  if (!violation_) violation_ = {invariant, std::to_string(now_) + " us: " + detail};
}

/// Onto the wire to the balancer: late, out of order, twice or not at all.
void UdpWorld::send(bool from_client, const Datagram& datagram) {
  if (rng_.chance_ppm(scenario_.loss_ppm)) return;
  const uint32_t copies = rng_.chance_ppm(scenario_.copies_ppm) ? 2 : 1;
  for (uint32_t i = 0; i < copies; ++i) {
    at(rng_.between(50, kWayMax / 2), [this, from_client, datagram] {
      balancer_.receive(from_client, frame_of(datagram, balancer_.mac(from_client)), now_);
    });
  }
}

void UdpWorld::emitted(bool to_client, std::span<const uint8_t> frame) {
  bool right = false;
  const auto datagram = datagram_of(frame, right);
  if (!datagram) return;
  // Over IPv6 each has one (RFC 7915, section 4.5).
  const bool had_checksum = datagram->number % 3 != 0 || test::families_of_run().any();
  if (!right || datagram->has_checksum != had_checksum) {
    violate("checksums", text(datagram->from) + " > " + text(datagram->to));
  }
  if (rng_.chance_ppm(scenario_.loss_ppm)) return;
  at(rng_.between(50, kWayMax / 2),
     [this, to_client, d = *datagram] { to_client ? client_gets(d) : server_gets(d); });
  if (to_client && (datagram->said != Said::answer || datagram->to != datagram->client)) {
    violate("reaches", "an answer to " + text(datagram->client) + " came to " + text(datagram->to));
  }
}

void UdpWorld::client_gets(const Datagram& datagram) {
  if (const auto found = queries_.find({datagram.client, datagram.number});
      found != queries_.end()) {
    answered_ += !found->second.answered;
    found->second.answered = true;
  } else if (const auto talker = conversations_.find(datagram.client);
             talker != conversations_.end()) {
    Conversation& c = talker->second;
    if (datagram.number <= c.newest) return;
    c.newest = datagram.number;
    ++c.answers;
  }
}

void UdpWorld::server_gets(const Datagram& datagram) {
  Seen& seen = seen_[{datagram.to, datagram.from}];
  if (seen.client != datagram.client && seen.busy_until > now_) {
    violate("exclusive", text(datagram.from) + " is " + text(seen.client) + "'s and " +
                             text(datagram.client) + "'s");
  }
  seen.client = datagram.client;
  if (const auto talker = conversations_.find(datagram.client); talker != conversations_.end()) {
    Conversation& c = talker->second;
    const std::pair place{datagram.to.ip, datagram.from};
    if (c.answers >= kSurelyEstablished && c.at != place)
      violate("stays", text(datagram.client) + " has moved");
    c.at = place;
  }
  if (datagram.said == Said::spoofed && !scenario_.flood_is_answered) return;
  // The same query takes the same time.
  Rng takes(datagram.number * 7919u + datagram.client.port);
  const TimeUs late = takes.chance_ppm(10'000) ? kLatest : takes.between(100, 20'000);
  seen.busy_until = std::max(seen.busy_until, now_ + late);
  Datagram answer = datagram;
  std::swap(answer.from, answer.to);
  answer.said = Said::answer;
  at(late, [this, answer] { send(false, answer); });
}

void UdpWorld::ask(Peer client, uint32_t number, uint16_t service) {
  send(true, {client, {kUdpVip, service}, Said::query, client, number, number % 3 != 0});
}

void UdpWorld::begin_query() {
  const Peer client{kClientFirst + rng_.below(2000),
                    static_cast<uint16_t>(rng_.between(1024, 65535))};
  const uint32_t number = ++number_;
  queries_[{client, number}] = {kOneShotPort};
  const auto again = [this, client, number](auto&& self) -> void {
    Query& query = queries_[{client, number}];
    if (query.answered || query.tries == kTriesMax) {
      unanswered_ += !query.answered;
      queries_.erase({client, number});
      return;
    }
    ++query.tries;
    ask(client, number, kOneShotPort);
    at(kAgain, [self] { self(self); });
  };
  again(again);
}

void UdpWorld::talk(Peer client) {
  if (quiet_) return;
  conversations_.try_emplace(client);
  ask(client, ++number_, kConversationPort);
  at(rng_.between(100, 400) * kMillisecond, [this, client] { talk(client); });
}

void UdpWorld::flood() {
  for (uint32_t i = 0; i < scenario_.spoofed_per_ms; ++i) {
    const Peer nobody{kSpoofedFirst + rng_.below(1 << 20),
                      static_cast<uint16_t>(rng_.between(1, 65535))};
    const uint16_t service = rng_.below(2) == 0 ? kOneShotPort : kConversationPort;
    const uint32_t number = 3 * rng_.below(1 << 20);
    balancer_.receive(true,
                      frame_of({nobody, {kUdpVip, service}, Said::spoofed, nobody, number, false},
                               balancer_.mac(true)),
                      now_);
  }
}

std::optional<std::pair<std::string, std::string>> UdpWorld::run(uint32_t queries) {
  constexpr uint32_t kQueriesPerSecond = 200;
  constexpr TimeUs kFloodBegins = 5 * kSecond;
  for (uint32_t i = 0; i < kTalkers; ++i) {
    const Peer talker{kClientFirst + 5000 + i, static_cast<uint16_t>(5000 + i)};
    at(i * kMillisecond, [this, talker] { talk(talker); });
  }
  for (uint32_t i = 0; i < queries; ++i) {
    at(uint64_t{i} * kSecond / kQueriesPerSecond, [this] { begin_query(); });
  }
  const TimeUs end = now_ + uint64_t{queries} * kSecond / kQueriesPerSecond + kTriesMax * kAgain;
  const TimeUs over = end + (kUdpIdleMs + 5'000) * kMillisecond;
  for (TimeUs ms = now_; ms < over && !violation_; ms += kMillisecond) {
    while (!events_.empty() && events_.top().at <= ms && !violation_) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      event.happen();
    }
    now_ = ms;
    balancer_.housekeeping(ms);
    quiet_ = ms >= end;
    if (scenario_.spoofed_per_ms == 0 && balancer_.ports_in_use() > kTalkers + kDueMax) {
      violate("ports", std::to_string(balancer_.ports_in_use()) + " are in use");
    }
    if (!quiet_ && ms > kFloodBegins) flood();
    if (!quiet_ && scenario_.reloads && ms / kMillisecond % 997 == 0) balancer_.reload();
  }
  if (!violation_) judge_end();
  return violation_;
}

void UdpWorld::judge_end() {
  using net::DropReason;
  if (balancer_.flow_count() != 0 || balancer_.ports_in_use() != 0) {
    violate("leak", std::to_string(balancer_.flow_count()) + " flows and " +
                        std::to_string(balancer_.ports_in_use()) + " ports are left");
  }
  if (balancer_.unaccounted() != 0) violate("leak", "packets are lost, or counted twice");
  const uint64_t all = answered_ + unanswered_;
  const bool flooded = scenario_.spoofed_per_ms != 0;
  if (!flooded && balancer_.drops(DropReason::ports_exhausted) != 0) {
    violate("ports", std::to_string(balancer_.drops(DropReason::ports_exhausted)) + " times");
  }
  if (!flooded && unanswered_ > all / 10'000) {
    violate("completes", std::to_string(unanswered_) + " queries have no answer");
  }
  if (flooded && unanswered_ > all / 20) {
    violate("let_in",
            std::to_string(unanswered_) + " of " + std::to_string(all) + " queries have no answer");
  }
}

void UdpWorld::print() const {
  std::printf("%s: %u queries answered, %u not; %llu flows, %llu deferred, %llu evicted\n",
              scenario_.name, answered_, unanswered_,
              static_cast<unsigned long long>(balancer_.events(sluice::Event::flows_opened)),
              static_cast<unsigned long long>(balancer_.drops(net::DropReason::udp_deferred)),
              static_cast<unsigned long long>(balancer_.events(sluice::Event::udp_evicted)));
}

}  // namespace sluice::sim
