// SPDX-License-Identifier: BSD-3-Clause
// Transmit queues of a device made of rings: what goes into a looped one comes back, what goes into
// a dead one lies there for ever.
#include "dataplane/port/queue_probe.h"

#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include <array>
#include <string>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

using std::chrono::milliseconds;

/// A port of four transmit queues, of which the first `live` are looped to the one receive queue.
class RingPort {
 public:
  RingPort(const std::string& name, uint16_t live) {
    std::array<rte_ring*, 4> tx{};
    rte_ring* looped = make(name + "-looped");
    for (uint16_t i = 0; i < tx.size(); ++i) {
      tx[i] = i < live ? looped : make(name + "-dead" + std::to_string(i));
    }
    const int port = rte_eth_from_rings(name.c_str(), &looped, 1, tx.data(), tx.size(), 0);
    EXPECT_GE(port, 0);
    probe = {
        static_cast<uint16_t>(port), 1, 4, packet_pool(), {{2, 0, 0, 0, 0, 9}}, ip4(10, 2, 0, 254),
        {ip4(10, 2, 0, 10)}};
    const rte_eth_conf conf{};
    EXPECT_EQ(rte_eth_dev_configure(probe.port, 1, 4, &conf), 0);
    EXPECT_EQ(rte_eth_rx_queue_setup(probe.port, 0, 64, 0, nullptr, packet_pool()), 0);
    for (uint16_t i = 0; i < 4; ++i) rte_eth_tx_queue_setup(probe.port, i, 64, 0, nullptr);
    EXPECT_EQ(rte_eth_dev_start(probe.port), 0);
  }
  ~RingPort() {
    rte_eth_dev_stop(probe.port);
    for (rte_ring* ring : rings_) {
      void* packet;
      while (rte_ring_dequeue(ring, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
    }
    rte_eth_dev_close(probe.port);
    for (rte_ring* ring : rings_) rte_ring_free(ring);
  }
  RingPort(const RingPort&) = delete;

  QueueProbe probe;

 private:
  rte_ring* make(const std::string& name) {
    return rings_.emplace_back(rte_ring_create(name.c_str(), 64, 0, 0));
  }
  std::vector<rte_ring*> rings_;
};

TEST(QueueProbe, FindsTheFirstQueueThatDoesNotSend) {
  for (const uint16_t live : {1, 2, 3, 4}) {
    const RingPort port("probed" + std::to_string(live), live);
    EXPECT_EQ(count_sending_queues(port.probe, milliseconds(2)), live);
  }
}

// By neighbour solicitations, where there are IPv6 addresses alone.
TEST(QueueProbe, AsksByNeighbourDiscoveryToo) {
  for (const uint16_t live : {1, 3, 4}) {
    const RingPort port("probed6-" + std::to_string(live), live);
    QueueProbe probe = port.probe;
    probe.source = net::Ipv6Address{{0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe}};
    probe.targets = {net::Ipv6Address{{0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10}}};
    EXPECT_EQ(count_sending_queues(probe, milliseconds(2)), live);
  }
}

TEST(QueueProbe, WithoutAnyAnswerItCannotSay) {
  const RingPort port("silent", 0);
  EXPECT_EQ(count_sending_queues(port.probe, milliseconds(2)), 4);
  const RingPort lonely("lonely", 1);
  QueueProbe nobody_to_ask = lonely.probe;
  nobody_to_ask.targets.clear();
  EXPECT_EQ(count_sending_queues(nobody_to_ask, milliseconds(2)), 4);
}

}  // namespace
}  // namespace sluice::test
