// SPDX-License-Identifier: BSD-3-Clause
// Lists and limits: whom they refuse and how, and that flows that are open never meet them.
#include "dataplane/stage/guard.h"

#include "tests/stage/stage.h"
#include "tests/stage/udp_stage.h"

namespace sluice::test {
namespace {

using net::DropReason;

std::shared_ptr<const AccessList> denying(net::Ipv4Address network, uint8_t length) {
  return std::make_shared<const AccessList>(AccessList::Prefixes{},
                                            AccessList::Prefixes{.v4 = {{network, length}}}, false);
}

template <class Base>
class Guarded : public Base {
 protected:
  using Base::core;

  /// Of the only service.
  void guard(const Scene& scene, const GuardView& guard, uint64_t backend_max = 0) {
    auto next = this->make_snapshot(scene);
    next->services[0].guard = guard;
    for (BackendView& backend : next->services[0].backends) backend.max_connections = backend_max;
    this->adopt(std::move(next));
    this->sent.clear();
  }
  static Scene with_clients(Scene scene = {}) {
    scene.limits.client_count_max = 64;
    return scene;
  }
};

class Guard : public Guarded<Stage> {
 protected:
  void expect_refused(DropReason reason, OnRefusal how = OnRefusal::kReset) {
    const uint64_t dropped = drops(reason), refused = service().refused.value();
    from_client(inbound(kSyn, 1000));
    EXPECT_EQ(drops(reason), dropped + 1)
        << net::kDropReasonTexts[static_cast<size_t>(reason)].name;
    EXPECT_EQ(service().refused.value(), refused + 1);
    if (how == OnRefusal::kDrop) return expect_nothing();
    EXPECT_EQ(only(kClientLink).flags(), kRstAck);
  }
  uint64_t refused_of(DropReason reason, net::Ipv4Address ip) {
    const auto which = static_cast<size_t>(reason) - static_cast<size_t>(net::kFirstGuardReason);
    for (uint32_t cell = 0; cell < RefusedSources::kCells; ++cell) {
      const auto source = core->refused_sources[which].read(cell);
      if (source && source->ip == address_key(ip)) return source->count;
    }
    return 0;
  }
  void next_host() { client_.ip = net::be32::from_host(client_.ip.host() + 1); }
};

TEST_F(Guard, WhoIsDeniedGetsNoAnswer) {
  const Scene scene;
  start(scene);
  establish(1000, 5000);
  GuardView view;
  view.access = denying(ip4(10, 1, 0, 0), 24);
  guard(scene, view);
  from_client(inbound(kAck, 1001, 5001));
  only(kBackendLink);  // what is open goes on
  next_client();
  for (int i = 0; i < 3; ++i) expect_refused(DropReason::source_denied, OnRefusal::kDrop);
  EXPECT_EQ(refused_of(DropReason::source_denied, client_.ip), 3u);
  client_.ip = ip4(10, 1, 1, 1);
  establish(1000, 5000);
}

TEST_F(Guard, AListForAllStandsBeforeTheServices) {
  const Scene scene;
  start(scene);
  auto next = make_snapshot(scene);
  next->access = denying(ip4(10, 1, 0, 0), 24);
  next->services[0].guard.access = std::make_shared<const AccessList>(
      AccessList::Prefixes{.v4 = {{ip4(10, 1, 0, 0), 16}}}, AccessList::Prefixes{}, true);
  adopt(std::move(next));
  sent.clear();
  expect_refused(DropReason::source_denied, OnRefusal::kDrop);
  client_.ip = ip4(10, 1, 1, 1);
  establish(1000, 5000);
  client_ = endpoint(ip4(192, 0, 2, 1), 40000);
  expect_refused(DropReason::source_not_allowed, OnRefusal::kDrop);
}

TEST_F(Guard, AServiceIsFull) {
  for (const OnRefusal how : {OnRefusal::kReset, OnRefusal::kDrop}) {
    client_ = kClient;
    const Scene scene{.on_refusal = how};
    start(scene);
    GuardView view;
    view.max_connections = 2;
    guard(scene, view);
    establish(1000, 5000);
    next_client();
    establish(1000, 5000);
    const auto second = client_;
    next_client();
    expect_refused(DropReason::service_full, how);
    EXPECT_EQ(service().active.value(), 2u);
    const auto third = std::exchange(client_, second);
    close_by_client(1001, 5001);
    EXPECT_EQ(service().active.value(), 1u);
    client_ = third;
    establish(1000, 5000);
    TearDown();
  }
}

TEST_F(Guard, AServiceTakesSoManyASecond) {
  const Scene scene;
  start(scene);
  GuardView view;
  view.max_new_per_second = 3;
  guard(scene, view);
  for (int i = 0; i < 3; ++i, next_client()) establish(1000, 5000);
  expect_refused(DropReason::service_rate);
  pass(2000);
  for (int i = 0; i < 3; ++i, next_client()) establish(1000, 5000);
  expect_refused(DropReason::service_rate);
}

TEST_F(Guard, AClientIsFullAndOthersAreNot) {
  const Scene scene = with_clients();
  start(scene);
  GuardView view;
  view.client_connections = 2;
  guard(scene, view);
  open(1000);  // an unfinished handshake counts
  next_client();
  establish(1000, 5000);
  next_client();
  expect_refused(DropReason::client_full);
  EXPECT_EQ(refused_of(DropReason::client_full, client_.ip), 1u);
  const auto same = client_;
  next_host();
  establish(1000, 5000);
  client_ = kClient;  // gives up
  from_client(inbound(kRst, 1001));
  sent.clear();
  client_ = same;
  establish(1000, 5000);
}

TEST_F(Guard, ANetworkMayCountAsOneClient) {
  const Scene scene = with_clients();
  start(scene);
  GuardView view;
  view.client_connections = 2;
  view.client_bits_v4 = 24;
  guard(scene, view);
  establish(1000, 5000);
  next_host();
  establish(1000, 5000);
  next_host();
  expect_refused(DropReason::client_full);
  client_.ip = ip4(10, 1, 1, 1);
  establish(1000, 5000);
}

TEST_F(Guard, AClientOpensSoManyASecond) {
  const Scene scene = with_clients();
  start(scene);
  GuardView view;
  view.client_new_per_second = 2;
  guard(scene, view);
  for (int i = 0; i < 2; ++i, next_client()) establish(1000, 5000);
  expect_refused(DropReason::client_rate);
  next_host();
  establish(1000, 5000);
}

TEST_F(Guard, AFloodOfSourcesLeavesClientsTheirCounts) {
  Scene scene = with_clients({.ports = {2000, 2999}});
  scene.limits = {1024, 1024, 1024, scene.limits.flow_index, 1024, 16};
  start(scene);
  GuardView view;
  view.client_connections = 1;
  guard(scene, view);
  establish(1000, 5000);
  for (int i = 0; i < 100; ++i) {
    client_ = endpoint(ip4(10, 1, 9, static_cast<uint8_t>(i)), 40000);
    open(1000);
  }
  EXPECT_GE(core->clients.evicted_count(), 80u);
  client_ = kClient;
  next_client();
  expect_refused(DropReason::client_full);
  client_.ip = ip4(10, 1, 8, 8);
  establish(1000, 5000);  // and a newcomer is let in
}

TEST_F(Guard, AFlowThatBeganBeforeItsLimitIsNoLoss) {
  const Scene scene = with_clients();
  start(scene);
  establish(1000, 5000);
  GuardView view;
  view.client_connections = 1;
  guard(scene, view);
  close_by_client(1001, 5001);
  next_client();
  establish(1000, 5000);
  guard(scene, {});  // and one that outlives it
  close_by_client(1001, 5001);
  EXPECT_EQ(core->clients.find(make_client_key(address_key(client_.ip), 32, 64, 0))->active.value(),
            0u);
}

TEST_F(Guard, FullBackendsArePassedOver) {
  for (const SchedulerKind scheduler :
       {SchedulerKind::kRoundRobin, SchedulerKind::kLeastConnections, SchedulerKind::kSourceHash}) {
    client_ = kClient;
    const Scene scene{.backends = 2, .scheduler = scheduler};
    start(scene);
    guard(scene, {}, 3);
    for (int i = 0; i < 6; ++i, next_client()) establish(1000, 5000);
    EXPECT_EQ(backend(0).active.value(), 3u);
    EXPECT_EQ(backend(1).active.value(), 3u);
    expect_refused(DropReason::backends_full);
    GuardView waits;
    waits.waits_for_backends = true;
    guard(scene, waits, 3);
    expect_refused(DropReason::backends_full, OnRefusal::kDrop);
    guard(scene, waits, 4);
    establish(1000, 5000);
    TearDown();
  }
}

TEST_F(Guard, WhatOtherWorkersHaveCounts) {
  const Scene scene = with_clients({.backends = 2});
  start(scene);
  GuardView view;
  view.max_connections = 5;
  guard(scene, view, 2);
  // Another worker with flows of this service.
  CoreSetup setup{};
  setup.packets = packet_pool();
  setup.limits = scene.limits;
  setup.secret = {3, 4};
  Core peer(setup);
  peer.registry.services.set(0, std::make_unique<ServiceState>(kVip));
  for (BackendId id : {0, 1}) peer.registry.backends.set(id, std::make_unique<BackendState>(id));
  core->peers = {&peer};
  core->registry.peers = {&peer.registry};
  peer.registry.backends[0]->active.add(2);
  peer.registry.services[0]->active.add(4);
  establish(1000, 5000);
  EXPECT_EQ(backend(1).active.value(), 1u) << "the other is full";
  next_client();
  expect_refused(DropReason::service_full);
  peer.registry.services[0]->active.subtract(4);
  view.client_connections = 3;
  guard(scene, view);
  establish(1000, 5000);
  next_client();
  peer.clients.flow_opened(0, make_client_key(address_key(client_.ip), 32, 64, 0), 0);
  peer.clients.flow_opened(1, make_client_key(address_key(client_.ip), 32, 64, 0), 0);
  expect_refused(DropReason::client_full);
  core->peers.clear();
  core->registry.peers.clear();
}

class GuardUdp : public Guarded<UdpStage> {};

TEST_F(GuardUdp, DatagramsMeetTheSame) {
  const Scene scene = with_clients(udp());
  start(scene);
  GuardView view;
  view.client_connections = 1;
  guard(scene, view);
  establish_udp();
  next_client();
  EXPECT_DROP(client_full, from_client(asked()));
  ASSERT_EQ(sent.size(), 1u) << "ICMP, as on_refusal says";
  EXPECT_EQ(sent[0].frame[kIpAt + 9], net::kProtocolIcmp);
  sent.clear();
  view.access = denying(ip4(10, 1, 0, 0), 16);
  guard(scene, view);
  EXPECT_DROP(source_denied, from_client(asked()));
  expect_nothing();
  view = {};
  view.max_connections = 1;
  guard(scene, view);
  EXPECT_DROP(service_full, from_client(asked()));
  sent.clear();
  guard(scene, {}, 1);
  EXPECT_DROP(backends_full, from_client(asked()));
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
