// SPDX-License-Identifier: BSD-3-Clause
// Floods of handshakes that nobody finishes, and who comes through them.
#include "dataplane/stage/admission.h"
#include "dataplane/stage/idle_limit.h"

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class HalfOpenFlood : public Stage {
 protected:
  /// SYNs of sources that never answer, `per_ms` of them each millisecond. The backend answers with
  /// a SYN-ACK where it is to.
  void flood(uint32_t ms, uint32_t per_ms, bool answered = true) {
    for (uint32_t i = 0; i < ms; ++i) {
      pass(1, 1);
      for (uint32_t k = 0; k < per_ms; ++k) spoof(answered);
    }
  }
  void spoof(bool answered) {
    const net::Ipv4Endpoint real = client_;
    client_ = endpoint(ip4(10, 1, static_cast<uint8_t>(10 + spoofed_ / 200 % 200),
                           static_cast<uint8_t>(1 + spoofed_ % 200)),
                       static_cast<uint16_t>(1024 + spoofed_ / 40'000));
    ++spoofed_;
    sent.clear();
    from_client(inbound(kSyn, 7'000'000 + spoofed_));
    bool was_sent = false;
    for (const Sent& s : sent) {
      if (s.port != kBackendLink || s.flags() != kSyn) continue;
      was_sent = true;
      local_ = s.from();
      backend_ = s.to();
    }
    sent.clear();
    if (was_sent && answered) from_backend(outbound(kSynAck, 99, 7'000'000 + spoofed_ + 1));
    sent.clear();
    client_ = real;
  }
  /// Whether a SYN of `client_` was passed on; sets `local_` and `backend_`.
  bool tries(uint32_t sequence) {
    sent.clear();
    from_client(inbound(kSyn, sequence));
    for (const Sent& s : sent) {
      if (s.port != kBackendLink || s.flags() != kSyn) continue;
      local_ = s.from();
      backend_ = s.to();
      sent.clear();
      return true;
    }
    EXPECT_TRUE(sent.empty()) << "what is deferred is not answered";
    return false;
  }
  void finishes(uint32_t sequence) {
    from_backend(outbound(kSynAck, 5000, sequence + 1));
    only(kClientLink);
    from_client(inbound(kAck, sequence + 1, 5001));
    only(kBackendLink);
    EXPECT_EQ(name_of(state()), "established");
  }
  uint64_t half_open(size_t b = 0) { return backend(b).half_open.count.value(); }

  uint32_t spoofed_ = 0;
};

constexpr PortRange kThousand = {2000, 2999};
constexpr CoreLimits kRoomy = {4096, 1024, 4096};

TEST_F(HalfOpenFlood, AtMostHalfOfThePortsAndTheOldestMakesWay) {
  for (const bool answered : {true, false}) {
    client_ = kClient;
    start({.ports = kThousand, .limits = kRoomy});
    establish(1000, 5000);
    for (int i = 0; i < 1'200; ++i) {
      pass(2, 2);
      spoof(answered);
    }
    EXPECT_EQ(half_open(), 500u);
    EXPECT_GE(events(Event::half_open_evicted), 700u);
    EXPECT_EQ(drops(net::DropReason::syn_deferred), 0u);
    EXPECT_EQ(drops(net::DropReason::ports_exhausted), 0u);
    EXPECT_EQ(pool().ports.counters().exhausted.value(), 0u);
    // The old connection is as it was, and a new one begins at once.
    from_client(inbound(kAck, 1001, 5001));
    only(kBackendLink);
    next_client();
    ASSERT_TRUE(tries(1000)) << "answered " << answered;
    finishes(1000);
    TearDown();
  }
}

TEST_F(HalfOpenFlood, WhoMakesWayIsResetAtTheRightNumber) {
  start({.ports = {2000, 2003}});
  // Two unfinished handshakes are allowed: one unanswered, one unacknowledged.
  const Sent unanswered = open(1000);
  next_client();
  const Sent unacknowledged = open(3000);
  from_backend(outbound(kSynAck, 99, 3001));
  only(kClientLink);
  pass(kHandshakeMs);
  for (const Sent& old : {unanswered, unacknowledged}) {
    next_client();
    from_client(inbound(kSyn, 6000));
    ASSERT_EQ(sent.size(), 2u);
    const Sent reset = sent[0];
    EXPECT_EQ(reset.port, kBackendLink);
    EXPECT_EQ(reset.flags(), kRst);
    EXPECT_EQ(reset.from(), old.from());
    EXPECT_EQ(reset.sequence(), old.sequence() + 1);
    EXPECT_NE(sent[1].from(), old.from()) << "its port has not rested";
    sent.clear();
  }
  // Its tuple is known, and late segments of it find nothing.
  EXPECT_EQ(pool().ports.prior(unacknowledged.from().port.host()).kind,
            PriorIncarnation::Kind::kAvailable);
  EXPECT_EQ(pool().ports.prior(unacknowledged.from().port.host()).rcv_nxt, 3001u);
  local_ = unacknowledged.from();
  EXPECT_DROP(no_flow_outbound, from_backend(outbound(kSynAck, 99, 3001)));
  EXPECT_EQ(only(kBackendLink).flags(), kRst);
}

TEST_F(HalfOpenFlood, ABurstOfRealClientsIsNoFlood) {
  start();  // 16 ports
  std::vector<std::pair<net::Ipv4Endpoint, net::Ipv4Endpoint>> ends;
  for (int i = 0; i < 16; ++i, next_client()) {
    open(1000);
    ends.push_back({client_, local_});
  }
  for (const auto& [client, local] : ends) {
    client_ = client;
    local_ = local;
    finishes(1000);
  }
  EXPECT_EQ(events(Event::half_open_evicted), 0u);
  EXPECT_EQ(drops(net::DropReason::syn_deferred), 0u);
}

TEST_F(HalfOpenFlood, WithFewPortsARealClientIsLetInWhenItTriesAgain) {
  for (const ReusePolicy policy :
       {ReusePolicy::kRebase, ReusePolicy::kNatural, ReusePolicy::kNever}) {
    client_ = kClient;
    spoofed_ = 0;
    start({.reuse = policy, .limits = kRoomy});  // 16 ports
    flood(1'000, 5);
    EXPECT_LE(half_open(), 8u);
    uint32_t first = 0, second = 0;
    for (int i = 0; i < 10; ++i, next_client()) {
      bool in = tries(1000);
      first += in;
      if (!in) {
        flood(1'000, 5);
        in = tries(1000);
        second += in;
      }
      if (!in) continue;
      const net::Ipv4Endpoint local = local_;
      flood(50, 5);  // its way is long
      local_ = local;
      finishes(1000);
      from_client(inbound(kRst, 1001));
      sent.clear();
    }
    EXPECT_EQ(first + second, 10u);
    EXPECT_EQ(events(Event::resets_to_clients), 0u);
    pass(kHandshakeMs);
    EXPECT_TRUE(tries(1000)) << "when the flood is over it costs nobody a second";
    TearDown();
  }
}

TEST_F(HalfOpenFlood, WhoRepeatsItsSynIsPreferred) {
  start({.ports = {2000, 2015}});
  ASSERT_TRUE(tries(1000));  // its SYN-ACK is lost
  const net::Ipv4Endpoint local = local_;
  pass(1'000);
  ASSERT_TRUE(tries(1000));
  EXPECT_EQ(local_, local);
  flood(3'000, 1);
  local_ = local;
  finishes(1000);
}

TEST_F(HalfOpenFlood, WhoMadeWayIsLetInAgainWhenItRepeatsItsSyn) {
  start({.ports = {2000, 2015}});
  ASSERT_TRUE(tries(1000));
  flood(999, 5);
  EXPECT_EQ(flow(), FlowTable::kNone) << "it was evicted";
  ASSERT_TRUE(tries(1000));
  const net::Ipv4Endpoint local = local_;
  flood(400, 5);
  local_ = local;
  finishes(1000);
}

TEST_F(HalfOpenFlood, CopiesOfASynAreNoRepetition) {
  start({.ports = {2000, 2015}});
  flood(300, 5);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(tries(1000));
  EXPECT_EQ(backend().half_open.deferred.value() + events(Event::syns_copied),
            drops(net::DropReason::syn_deferred));
  EXPECT_EQ(events(Event::syns_copied), 4u);
}

TEST_F(HalfOpenFlood, ACopyOfADeferredSynTakesNoPortThatIsFreeMeanwhile) {
  start({.ports = {2000, 2015}});
  for (int i = 0; i < 16; ++i, next_client()) open(1000);
  EXPECT_FALSE(tries(1000)) << "every port is another handshake's";
  const net::Ipv4Endpoint deferred = client_;
  client_ = kClient;
  from_client(inbound(kRst, 1001));  // one gives up
  client_ = deferred;
  sent.clear();
  for (const uint32_t later : {0u, 600u, 250u}) {
    pass(later);
    EXPECT_FALSE(tries(1000)) << later;
  }
  EXPECT_EQ(backend().half_open.deferred.value(), 1u);
  EXPECT_EQ(events(Event::half_open_evicted), 0u);
  EXPECT_EQ(events(Event::syns_copied), 3u);
  pass(150);
  EXPECT_TRUE(tries(1000)) << "after a second it is its client that asks again";
  sent.clear();
}

TEST_F(HalfOpenFlood, ACopyOfASynThatMadeWayTakesNothing) {
  start({.ports = {2000, 2015}});
  ASSERT_TRUE(tries(1000));
  flood(600, 5);
  ASSERT_EQ(flow(), FlowTable::kNone) << "it was evicted";
  const uint64_t evicted = events(Event::half_open_evicted);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(tries(1000));
    pass(50);
  }
  EXPECT_EQ(events(Event::half_open_evicted), evicted);
}

TEST_F(HalfOpenFlood, TheOldestOfTheTableMakesWayWhereEntriesAreFew) {
  start({.ports = {2000, 9999}, .limits = {64, 1024, 64}});
  establish(1000, 5000);
  flood(1'000, 1);
  EXPECT_LE(half_open(), 32u);
  EXPECT_EQ(drops(net::DropReason::flow_table_full), 0u);
  from_client(inbound(kAck, 1001, 5001));
  only(kBackendLink);
  next_client();
  bool in = tries(1000);
  if (!in) {
    flood(1'000, 1);
    in = tries(1000);
  }
  ASSERT_TRUE(in);
  finishes(1000);
}

TEST_F(HalfOpenFlood, AFloodOnOneServiceCostsAnotherNothing) {
  const Scene scene{.ports = {2000, 2499}, .backends = 2, .limits = {256, 1024, 256}};
  start(scene);
  // The second backend becomes another service's.
  const net::Ipv4Endpoint other_vip = endpoint(kVip.ip, 81);
  auto next = make_snapshot(scene);
  ServiceView other = next->services[0];
  other.id = 1;
  other.vip = other_vip;
  other.backends.erase(other.backends.begin());
  other.wrr_order = {0};
  next->services[0].backends.pop_back();
  next->services[0].wrr_order = {0};
  next->services.push_back(other);
  next->seal();
  core->registry.services.set(1, std::make_unique<ServiceState>(other_vip));
  adopt(std::move(next));
  sent.clear();
  flood(2'000, 5);
  EXPECT_GE(half_open(0), 100u);
  for (int i = 0; i < 20; ++i, next_client()) {
    Tcp syn = inbound(kSyn, 1000);
    syn.to = other_vip;
    from_client(syn);
    bool was_sent = false;
    for (const Sent& s : sent) was_sent |= s.flags() == kSyn && s.to().ip == ip4(10, 2, 0, 11);
    EXPECT_TRUE(was_sent) << i;
    sent.clear();
    flood(1, 5);
  }
  EXPECT_EQ(backend(1).half_open.evicted.value(), 0u);
  EXPECT_EQ(backend(1).half_open.deferred.value(), 0u);
}

TEST_F(HalfOpenFlood, UnderPressureUnfinishedHandshakesHaveLessTime) {
  start({.ports = kThousand, .limits = kRoomy});
  flood(2'000, 1);
  EXPECT_GE(half_open(), 490u);
  pass(kUsefulMs + 1'000);
  EXPECT_LE(half_open(), 251u) << "half of them are left";
  EXPECT_EQ(events(Event::resets_to_clients), 0u) << "a spoofed source is told nothing";
  pass(70'000, 1'000);
  EXPECT_EQ(half_open(), 0u);
}

TEST_F(HalfOpenFlood, ASpoofedSourceThatResetsTakesNothing) {
  start({.ports = kThousand, .limits = kRoomy});
  for (int i = 0; i < 3'000; ++i, next_client()) {
    ASSERT_TRUE(tries(1000));
    from_backend(outbound(kSynAck, 99, 1001));
    only(kClientLink);
    from_client(inbound(kRst, 1001));
    only(kBackendLink);
    if (i % 100 == 0) pass(10);
  }
  EXPECT_EQ(half_open(), 0u);
  EXPECT_EQ(events(Event::half_open_evicted), 0u);
}

TEST_F(HalfOpenFlood, AReloadChangesTheLimit) {
  const Scene scene{.ports = kThousand, .limits = kRoomy};
  start(scene);
  auto next = make_snapshot(scene);
  next->half_open_percent = 10;
  next->services[0].backends[0].sharers = 2;
  adopt(std::move(next));
  sent.clear();
  flood(1'500, 1);
  EXPECT_LE(half_open(), 50u);
  EXPECT_GE(half_open(), 40u);
}

}  // namespace
}  // namespace sluice::test
