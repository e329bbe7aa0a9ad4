// SPDX-License-Identifier: BSD-3-Clause
// Flows that run out of idle time: reset at both ends with the right numbers.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Expiry : public Stage {
 protected:
  Scene quick() {
    Scene scene;
    scene.timeouts_ms.fill(5000);
    return scene;
  }
  /// Lets the flow expire and takes the resets: to the client, to the backend (where there is one).
  void expire(std::vector<Sent>& to_client, std::vector<Sent>& to_backend) {
    pass(5100);
    for (const Sent& s : sent) (s.port == kClientLink ? to_client : to_backend).push_back(s);
    for (const Sent& s : sent)
      EXPECT_TRUE(tcp_checksum_right(s.frame) && ip_checksum_right(s.frame));
    sent.clear();
  }
  std::vector<Sent> to_client, to_backend;
};

TEST_F(Expiry, EstablishedIsResetAtTheNumbersThatEachEndExpects) {
  start(quick());
  establish(1000, 5000);
  Tcp data = inbound(kAck, 1001, 5001);
  data.payload = Bytes(100);
  from_client(data);
  only(kBackendLink);
  Tcp answer = outbound(kAck, 5001, 1101);
  answer.payload = Bytes(50);
  from_backend(answer);
  only(kClientLink);
  from_client(inbound(kAck, 1101, 5051));
  only(kBackendLink);
  expire(to_client, to_backend);
  ASSERT_EQ(to_client.size(), 1u);
  ASSERT_EQ(to_backend.size(), 1u);
  EXPECT_EQ(to_client[0].flags(), kRstAck);
  EXPECT_EQ(to_client[0].from(), kVip);
  EXPECT_EQ(to_client[0].to(), kClient);
  EXPECT_EQ(to_client[0].sequence(), 5051u);
  EXPECT_EQ(to_client[0].acknowledgement(), 1101u);
  EXPECT_EQ(to_backend[0].flags(), kRst);
  EXPECT_EQ(to_backend[0].from(), local_);
  EXPECT_EQ(to_backend[0].sequence(), 1101u);
  EXPECT_EQ(events(Event::flows_timed_out), 1u);
  EXPECT_EQ(events(Event::resets_to_clients), 1u);
  EXPECT_EQ(events(Event::resets_to_backends), 1u);
  EXPECT_EQ(backend().timeouts.value(), 1u);
  EXPECT_EQ(core->flows.flow_count(), 0u);
  EXPECT_EQ(pool().ports.prior(local_.port.host()).kind, PriorIncarnation::Kind::kAvailable);
}

TEST_F(Expiry, AFittedFlowIsResetAtEachEndsOwnNumbers) {
  Scene scene = quick();
  scene.ports = {2000, 2000};
  start(scene);
  establish(0x80000000, 5000);
  close_by_backend(0x80000001, 5001);
  next_client();
  const Sent syn = open(1000);
  const uint32_t adjust = syn.sequence() - 1000;
  ASSERT_NE(adjust, 0u);
  from_backend(outbound(kSynAck, 7000, 1001 + adjust));
  only(kClientLink);
  from_client(inbound(kAck, 1001, 7001));
  only(kBackendLink);
  expire(to_client, to_backend);
  ASSERT_EQ(to_client.size(), 1u);
  ASSERT_EQ(to_backend.size(), 1u);
  EXPECT_EQ(to_client[0].sequence(), 7001u);
  EXPECT_EQ(to_client[0].acknowledgement(), 1001u);
  EXPECT_EQ(to_backend[0].sequence(), 1001 + adjust);
}

TEST_F(Expiry, AnUnansweredSynIsRefused) {
  start(quick());
  open(1000);
  expire(to_client, to_backend);
  ASSERT_EQ(to_client.size(), 1u);
  ASSERT_EQ(to_backend.size(), 1u);
  EXPECT_EQ(to_client[0].flags(), kRstAck);
  EXPECT_EQ(to_client[0].acknowledgement(), 1001u) << "acceptable in SYN-SENT";
  EXPECT_EQ(to_client[0].sequence(), 0u);
  EXPECT_EQ(to_backend[0].sequence(), 1001u);
}

TEST_F(Expiry, HalfOpenHalfClosedAndLastAck) {
  struct Row {
    const char* name;
    int step;  // how far the connection got
    uint32_t client_expects, backend_expects;
    bool backend_reset;
    PriorIncarnation::Kind left;
  };
  const Row rows[] = {
      {"syn_received", 0, 5001, 1001, true, PriorIncarnation::Kind::kAvailable},
      {"client_closed", 1, 5001, 1002, true, PriorIncarnation::Kind::kAvailable},
      {"backend_closed", 2, 5002, 1001, true, PriorIncarnation::Kind::kAvailable},
      {"client_first", 3, 5001, 1002, true, PriorIncarnation::Kind::kAvailable},
      {"backend_first", 4, 5002, 1001, false, PriorIncarnation::Kind::kTimeWait},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    client_ = kClient;
    to_client.clear(), to_backend.clear();
    start(quick());
    if (row.step == 0) {
      open(1000);
      from_backend(outbound(kSynAck, 5000, 1001));
    } else {
      establish(1000, 5000);
    }
    if (row.step == 1 || row.step == 3) from_client(inbound(kFin, 1001, 5001));
    if (row.step == 1) from_backend(outbound(kAck, 5001, 1002));
    if (row.step == 3) from_backend(outbound(kFin, 5001, 1002));
    if (row.step == 2 || row.step == 4) from_backend(outbound(kFin, 5001, 1001));
    if (row.step == 2) from_client(inbound(kAck, 1001, 5002));
    if (row.step == 4) from_client(inbound(kFin, 1001, 5002));
    sent.clear();
    EXPECT_EQ(name_of(state()), row.name);
    expire(to_client, to_backend);
    ASSERT_EQ(to_client.size(), 1u);
    EXPECT_EQ(to_client[0].sequence(), row.client_expects);
    ASSERT_EQ(to_backend.size(), row.backend_reset ? 1u : 0u);
    if (row.backend_reset) {
      EXPECT_EQ(to_backend[0].sequence(), row.backend_expects);
    }
    EXPECT_EQ(pool().ports.prior(local_.port.host()).kind, row.left);
    TearDown();
  }
}

TEST_F(Expiry, TrafficKeepsAFlowAlive) {
  start(quick());
  establish(1000, 5000);
  for (int i = 0; i < 20; ++i) {
    pass(4000);
    i % 2 == 0 ? from_client(inbound(kAck, 1001, 5001)) : from_backend(outbound(kAck, 5001, 1001));
    only(i % 2 == 0 ? kBackendLink : kClientLink);
  }
  EXPECT_EQ(name_of(state()), "established");
  pass(4990);
  EXPECT_EQ(core->flows.flow_count(), 1u) << "not before its time";
}

TEST_F(Expiry, SilentWhereTheServiceWantsItSo) {
  Scene scene = quick();
  scene.reset_on_timeout = false;
  start(scene);
  establish(1000, 5000);
  expire(to_client, to_backend);
  EXPECT_TRUE(to_client.empty());
  EXPECT_TRUE(to_backend.empty());
  EXPECT_EQ(core->flows.flow_count(), 0u);
  EXPECT_EQ(pool().ports.prior(local_.port.host()).kind, PriorIncarnation::Kind::kTimeWait)
      << "the backend was not told";
}

TEST_F(Expiry, ManyAtOnceAreSpreadOverHousekeeping) {
  Scene scene = quick();
  scene.ports = {2000, 3999};
  scene.limits = {1024, 1100, 1024};
  start(scene);
  for (int i = 0; i < 1000; ++i, next_client()) open(1000);
  core->now_ms += 10'000;
  run_housekeeping(*core);
  EXPECT_GE(core->flows.flow_count(), 700u) << "a bounded part of it";
  for (int i = 0; i < 40; ++i) run_housekeeping(*core);
  EXPECT_EQ(core->flows.flow_count(), 0u);
  core->tx.flush();
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
