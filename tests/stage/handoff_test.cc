// SPDX-License-Identifier: BSD-3-Clause
// Two cores joined by rings: what belongs to the other one reaches it, and is served from no other
// table.
#include "dataplane/port/handoff.h"

#include <gtest/gtest.h>

#include "dataplane/stage/pipeline.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr net::SipKey kSecret{3, 4};
const std::vector<std::optional<RssFunction>> kNoRss(2);

/// One worker of two. Its neighbours are known; what it sends is kept.
class Half : public Stage {
 public:
  using Stage::answer_arp;
  using Stage::core;
  using Stage::sent;
  using Stage::snapshot;

  Half(const Rings& rings, Steering& steering, uint32_t worker, net::Protocol protocol) {
    Scene scene;
    scene.protocol = protocol;
    scene.ports = {2000, 2031};
    start(scene, {&rings, &steering, worker});
    core->next_hops.prepare(*snapshot, kClient.ip, core->now_ms);
    flush();
  }
  void TestBody() override {}
  void finish() { TearDown(); }
  void wait(uint64_t ms) { pass(ms); }
  void receive(uint16_t interface, const std::vector<Bytes>& frames) { burst(interface, frames); }
  /// Takes over what the other gave, as a worker does once an iteration.
  uint32_t take_over() {
    uint32_t total = 0;
    rte_mbuf* buffers[kBurstMax];
    for (uint32_t i = 0; i < core->handoff.worker_count(); ++i) {
      const uint16_t count = core->handoff.take(buffers, kBurstMax);
      if (count > 0) run_taken_over(*core, buffers, count);
      total += count;
    }
    flush();
    return total;
  }
  uint64_t count(Event event) const { return events(event); }
  uint64_t count(net::DropReason reason) const { return drops(reason); }
};

class HandoffStage : public testing::Test {
 protected:
  HandoffStage() : HandoffStage(SteeringKind::kHandoff) {}
  explicit HandoffStage(SteeringKind kind, net::Protocol protocol = net::Protocol::kTcp)
      : steering_(kind, 2, kNoRss, kSecret) {
    static int number = 0;
    buffers_at_start_ = rte_mempool_avail_count(packet_pool());
    rings_ = std::make_unique<Rings>("pair-" + std::to_string(number++), std::vector<int>{-1, -1});
    for (uint32_t worker : {0, 1}) {
      halves_[worker] = std::make_unique<Half>(*rings_, steering_, worker, protocol);
    }
    exchange();  // what ARP had to say
    for (auto& half : halves_) half->sent.clear();
    base_ = handed_off();
  }
  void TearDown() override {
    for (auto& half : halves_) half->finish();
    for (auto& half : halves_) half.reset();
    rings_.reset();
    expect_all_buffers(buffers_at_start_);
  }

  void exchange() {
    while (halves_[0]->take_over() + halves_[1]->take_over() > 0) {
    }
  }
  uint64_t handed_off() const {
    return halves_[0]->count(Event::handed_off) + halves_[1]->count(Event::handed_off);
  }
  uint64_t handed_since() {
    const uint64_t all = handed_off();
    return all - std::exchange(base_, all);
  }

  /// A client whose connections `worker` serves.
  net::Ipv4Endpoint client_of(uint32_t worker, uint16_t nth = 0) const {
    net::Ipv4Endpoint client = kClient;
    for (uint16_t port = 40000;; ++port) {
      client.port = net::be16::from_host(port);
      if (steering_.owner_of_client(client, kVip, 0) == worker && nth-- == 0) return client;
    }
  }
  static Tcp inbound(net::Ipv4Endpoint client, uint8_t flags, uint32_t sequence,
                     uint32_t acknowledgement = 0) {
    return {.from = client,
            .to = kVip,
            .flags = flags,
            .sequence = sequence,
            .acknowledgement = acknowledgement,
            .ip = {.to = mac(1), .from = host_mac(client.ip)}};
  }
  static Tcp outbound(net::Ipv4Endpoint local, uint8_t flags, uint32_t sequence,
                      uint32_t acknowledgement) {
    return {.from = kBackend,
            .to = local,
            .flags = flags,
            .sequence = sequence,
            .acknowledgement = acknowledgement,
            .ip = {.to = mac(2), .from = host_mac(kBackend.ip)}};
  }
  /// Has `at` receive a segment, and returns the one frame that `by` sent for it.
  Sent pass(uint32_t at, uint16_t interface, const Tcp& tcp, uint32_t by) {
    return pass_frame(at, interface, tcp_frame(tcp), by);
  }
  Sent pass_frame(uint32_t at, uint16_t interface, const Bytes& frame, uint32_t by) {
    halves_[at]->receive(interface, {frame});
    exchange();
    EXPECT_TRUE(halves_[1 - by]->sent.empty());
    std::vector<Sent> sent = std::move(halves_[by]->sent);
    halves_[by]->sent.clear();
    EXPECT_EQ(sent.size(), 1u);
    return sent.empty() ? Sent{0, tcp_frame({})} : sent.front();
  }

  Steering steering_;
  std::unique_ptr<Rings> rings_;
  std::unique_ptr<Half> halves_[2];
  uint64_t base_ = 0;
  unsigned buffers_at_start_ = 0;
};

TEST_F(HandoffStage, AConnectionIsServedByItsOwnerWhereverItsPacketsComeIn) {
  for (const uint32_t owner : {0, 1}) {
    for (const uint32_t client_at : {0, 1}) {
      for (const uint32_t backend_at : {0, 1}) {
        SCOPED_TRACE(testing::Message() << owner << client_at << backend_at);
        const net::Ipv4Endpoint client =
            client_of(owner, static_cast<uint16_t>(client_at * 2 + backend_at));
        const Sent syn = pass(client_at, kClientLink, inbound(client, kSyn, 100), owner);
        const net::Ipv4Endpoint local = syn.from();
        EXPECT_NE(halves_[owner]->core->registry.pools[0]->ports.find(local.port.host()), nullptr);
        const Sent answer =
            pass(backend_at, kBackendLink, outbound(local, kSynAck, 500, 101), owner);
        EXPECT_EQ(answer.to(), client);
        pass(client_at, kClientLink, inbound(client, kAck, 101, 501), owner);
        pass(client_at, kClientLink, inbound(client, kFin, 101, 501), owner);
        pass(backend_at, kBackendLink, outbound(local, kFin, 501, 102), owner);
        pass(client_at, kClientLink, inbound(client, kAck, 102, 502), owner);
        EXPECT_EQ(handed_since(), 4u * (client_at != owner) + 2u * (backend_at != owner));
      }
    }
  }
  EXPECT_EQ(halves_[0]->count(Event::flows_opened), 4u);
  EXPECT_EQ(halves_[1]->count(Event::flows_opened), 4u);
  EXPECT_EQ(halves_[0]->count(Event::handed_off), halves_[1]->count(Event::taken_over));
}

class UdpHandoff : public HandoffStage {
 protected:
  UdpHandoff() : HandoffStage(SteeringKind::kHandoff, net::Protocol::kUdp) {}
  static Bytes asked(net::Ipv4Endpoint client) {
    return udp_frame(
        {.from = client, .to = kVip, .ip = {.to = mac(1), .from = host_mac(client.ip)}});
  }
  static Bytes answered(net::Ipv4Endpoint local) {
    return udp_frame(
        {.from = kBackend, .to = local, .ip = {.to = mac(2), .from = host_mac(kBackend.ip)}});
  }
};

TEST_F(UdpHandoff, AFlowIsServedByItsOwnerWhateverADeviceHashes) {
  for (const uint32_t owner : {0, 1}) {
    for (const uint32_t at : {0, 1}) {
      const net::Ipv4Endpoint client = client_of(owner, static_cast<uint16_t>(at));
      const net::Ipv4Endpoint local = pass_frame(at, kClientLink, asked(client), owner).from();
      EXPECT_NE(halves_[owner]->core->registry.pools[0]->ports.find(local.port.host()), nullptr);
      EXPECT_EQ(pass_frame(1 - at, kBackendLink, answered(local), owner).to(), client);
      EXPECT_EQ(pass_frame(1 - at, kClientLink, asked(client), owner).from(), local);
      EXPECT_EQ(handed_since(), at == owner ? 2u : 1u);
      // ICMP about it, which quotes it.
      const Bytes sent = udp_frame({.from = local, .to = kBackend});
      const Ip ip{.source = kBackend.ip, .destination = local.ip, .to = mac(2)};
      const Bytes error = icmp_frame(ip, 3, 3, 0, slice(sent, kIpAt, kIpAt + 28));
      EXPECT_EQ(pass_frame(1 - owner, kBackendLink, error, owner).port, kClientLink);
      EXPECT_EQ(halves_[owner]->core->flows.flow_count(), 0u);
      handed_since();
    }
  }
}

TEST_F(HandoffStage, WhatNobodyKnowsIsAnsweredOnceByTheOwner) {
  const net::Ipv4Endpoint client = client_of(1);
  EXPECT_EQ(pass(0, kClientLink, inbound(client, kAck, 5, 6), 1).flags(), kRst);
  EXPECT_EQ(halves_[1]->count(net::DropReason::no_flow_inbound), 1u);
  for (const uint16_t port : {2000, 2001}) {
    const auto& shares = *halves_[0]->core->registry.pools[0]->shares;
    const uint32_t owner = shares.owner_of(port);
    const net::Ipv4Endpoint local = endpoint(ip4(10, 2, 0, 1), port);
    EXPECT_EQ(pass(1 - owner, kBackendLink, outbound(local, kAck, 5, 6), owner).flags(), kRst);
    EXPECT_EQ(halves_[owner]->count(net::DropReason::no_flow_outbound), 1u);
  }
  // A port of no pool is nobody's: whoever receives it answers.
  const net::Ipv4Endpoint nobodys = endpoint(ip4(10, 2, 0, 1), 9);
  handed_since();
  EXPECT_EQ(pass(0, kBackendLink, outbound(nobodys, kAck, 5, 6), 0).flags(), kRst);
  EXPECT_EQ(handed_since(), 0u);
}

TEST_F(HandoffStage, IcmpErrorsReachTheFlowTheyQuote) {
  const net::Ipv4Endpoint client = client_of(1);
  const Sent syn = pass(0, kClientLink, inbound(client, kSyn, 100), 1);
  const auto error = [](uint8_t link, net::Ipv4Address from, net::Ipv4Address to,
                        const Bytes& quoted) {
    const Ip ip{.source = from, .destination = to, .to = mac(static_cast<uint8_t>(link + 1))};
    return icmp_frame(ip, 3, 4, 1400, slice(quoted, kIpAt, kTcpAt + 8));
  };
  halves_[0]->receive(kBackendLink,
                      {error(kBackendLink, ip4(10, 2, 0, 200), ip4(10, 2, 0, 1), syn.frame)});
  exchange();
  halves_[1]->sent.clear();
  const Sent syn_ack = pass(0, kBackendLink, outbound(syn.from(), kSynAck, 500, 101), 1);
  halves_[0]->receive(kClientLink,
                      {error(kClientLink, ip4(10, 1, 0, 200), kVip.ip, syn_ack.frame)});
  exchange();
  EXPECT_EQ(halves_[1]->count(Event::icmp_errors_translated), 2u);
  EXPECT_EQ(halves_[1]->sent.size(), 1u);
  EXPECT_EQ(halves_[0]->count(net::DropReason::no_flow_icmp), 0u);
  halves_[1]->sent.clear();
}

TEST_F(HandoffStage, BothLearnFromOneArpPacket) {
  // A host that moves says so to everybody; one core receives it.
  const net::MacAddress moved{{2, 9, 9, 9, 9, 9}};
  for (auto& half : halves_) half->answer_arp = false;
  halves_[0]->receive(kBackendLink, {arp_frame({.operation = 1,
                                                .sender_mac = moved,
                                                .sender_ip = kBackend.ip,
                                                .target_mac = {},
                                                .target_ip = kBackend.ip,
                                                .to = net::kBroadcastMac})});
  exchange();
  // Both ask who was known, in vain.
  for (auto& half : halves_) half->wait(1000);
  exchange();
  for (auto& half : halves_) half->sent.clear();
  const Sent syn = pass(1, kClientLink, inbound(client_of(1), kSyn, 100), 1);
  EXPECT_EQ(syn.to_mac(), moved);
}

TEST_F(HandoffStage, ARequestIsAnsweredOnce) {
  for (auto& half : halves_) half->answer_arp = false;
  halves_[0]->receive(kClientLink, {arp_frame({.operation = 1,
                                               .sender_mac = host_mac(kClient.ip),
                                               .sender_ip = kClient.ip,
                                               .target_mac = {},
                                               .target_ip = ip4(10, 1, 255, 254),
                                               .to = net::kBroadcastMac})});
  exchange();
  EXPECT_EQ(halves_[0]->sent.size() + halves_[1]->sent.size(), 1u);
  for (auto& half : halves_) half->sent.clear();
}

TEST_F(HandoffStage, AFullRingDropsByName) {
  const uint64_t before = halves_[0]->count(Event::handed_off);
  const Bytes stray = tcp_frame(inbound(client_of(1), kAck, 5, 6));
  for (uint32_t i = 0; i < Rings::kPackets / 32 + 1; ++i) {
    halves_[0]->receive(kClientLink, std::vector<Bytes>(32, stray));
  }
  EXPECT_GT(halves_[0]->count(net::DropReason::handoff_full), 0u);
  EXPECT_EQ(halves_[0]->count(net::DropReason::handoff_full) + halves_[0]->count(Event::handed_off),
            Rings::kPackets + 32u + before);
  exchange();
  EXPECT_EQ(halves_[1]->count(net::DropReason::no_flow_inbound),
            halves_[0]->count(Event::handed_off) - before);
  halves_[1]->sent.clear();
}

class RteFlowStage : public HandoffStage {
 protected:
  RteFlowStage() : HandoffStage(SteeringKind::kRteFlow) {}
};

TEST_F(RteFlowStage, AClientIsServedWhereItComesIn) {
  for (const uint32_t at : {0, 1}) {
    const Sent syn =
        pass(at, kClientLink,
             inbound(endpoint(kClient.ip, static_cast<uint16_t>(50 + at)), kSyn, 100), at);
    EXPECT_EQ(syn.from().port.host() & 1, at) << "the low bit is the worker";
    pass(1 - at, kBackendLink, outbound(syn.from(), kSynAck, 500, 101), at);
  }
}

}  // namespace
}  // namespace sluice::test
