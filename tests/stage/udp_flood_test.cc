// SPDX-License-Identifier: BSD-3-Clause
// Spoofed datagrams: what they may take, and what they may not.
#include "tests/stage/udp_stage.h"

namespace sluice::test {
namespace {

class UdpFlood : public UdpStage {
 protected:
  static Scene scene() {
    Scene scene = udp({.ports = {2000, 2063}});
    scene.limits.flow_count_max = 256;
    return scene;
  }
  /// One datagram of each of `count` clients that do not exist.
  void flood(uint32_t count) {
    const net::Ipv4Endpoint real = client_;
    for (uint32_t i = 0; i < count; ++i) {
      client_ = endpoint(ip4(10, 1, 200, static_cast<uint8_t>(1 + spoofed_ % 250)),
                         static_cast<uint16_t>(1024 + spoofed_ / 250));
      from_client(asked());
      ++spoofed_;
    }
    client_ = real;
    sent.clear();
  }
  uint32_t spoofed_ = 0;
};

TEST_F(UdpFlood, EstablishedFlowsKeepTheirPortsAndUnansweredOnesAreBounded) {
  start(scene());
  establish_udp();
  const net::Ipv4Endpoint local = local_;
  for (int i = 0; i < 300; ++i) {
    flood(20);
    pass(10);
  }
  EXPECT_LE(backend().half_open.count.value(), 33u) << "half of the ports";
  EXPECT_GT(events(Event::udp_evicted), 0u);
  EXPECT_GT(drops(net::DropReason::udp_deferred), 0u);
  ask();
  EXPECT_EQ(local_, local);
  answer();
}

TEST_F(UdpFlood, AClientThatComesAgainIsLetIn) {
  start(scene());
  for (int i = 0; i < 200; ++i) flood(20), pass(10);
  uint32_t let_in = 0;
  for (int i = 0; i < 10; ++i) {
    next_client();
    from_client(asked());
    for (int t = 0; t < 120; ++t) flood(20), pass(10);
    sent.clear();
    from_client(asked());
    let_in += sent.size() == 1 || has_flow();
    sent.clear();
  }
  EXPECT_GE(let_in, 8u);
}

TEST_F(UdpFlood, AnsweredFlowsMakeWayAndTellOfNoFlood) {
  start(scene());
  for (int i = 0; i < 400; ++i) {  // NTP: one exchange of each client
    next_client();
    ask(), answer();
    pass(70);
  }
  EXPECT_EQ(drops(net::DropReason::udp_deferred), 0u);
  EXPECT_EQ(drops(net::DropReason::ports_exhausted), 0u);
  EXPECT_GT(events(Event::udp_evicted), 300u);
  EXPECT_EQ(backend().half_open.evicted.value(), 0u);
}

/// A forged source may send once more after an answer that it does not get.
TEST_F(UdpFlood, EstablishedFlowsLeaveEntriesToTcp) {
  Scene small = udp({.ports = {2000, 9999}});
  small.limits.flow_count_max = 64;
  start(small);
  auto both = make_snapshot(small);
  ServiceView tcp{};
  tcp.id = 1;
  both->services.push_back(tcp);
  adopt(std::move(both));
  for (int i = 0; i < 48; ++i) next_client(), establish_udp();
  next_client();
  EXPECT_DROP(flow_table_full, from_client(asked()));
  EXPECT_EQ(core->flows.flow_count(), 48u);
  sent.clear();
  adopt(make_snapshot(small));  // UDP alone
  for (int i = 0; i < 16; ++i) next_client(), establish_udp();
  EXPECT_EQ(core->flows.flow_count(), 64u);
}

TEST_F(UdpFlood, TheTableIsNotTheFloods) {
  Scene small = udp({.ports = {2000, 9999}});
  small.limits.flow_count_max = 64;
  start(small);
  establish_udp();
  for (int i = 0; i < 300; ++i) flood(20), pass(10);
  EXPECT_LE(core->flows.flow_count(), 34u);
  EXPECT_TRUE(has_flow());
}

}  // namespace
}  // namespace sluice::test
