// SPDX-License-Identifier: BSD-3-Clause
// A burst that is timed: nothing else becomes of its packets, and each is counted in its stage.
#include "dataplane/worker/set_stage_clocks.h"

#include <algorithm>
#include <vector>

#include "dataplane/stage/pipeline.h"
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Clocked : public Stage {
 protected:
  void clocked_burst(uint16_t interface, const std::vector<Bytes>& frames) {
    std::vector<rte_mbuf*> buffers;
    for (const Bytes& frame : frames) {
      rte_mbuf* buffer = rte_pktmbuf_alloc(packet_pool());
      ASSERT_NE(buffer, nullptr);
      std::ranges::copy(frame, rte_pktmbuf_mtod(buffer, uint8_t*));
      buffer->data_len = static_cast<uint16_t>(frame.size());
      buffer->pkt_len = static_cast<uint32_t>(frame.size());
      buffers.push_back(buffer);
    }
    run_burst_clocked(*core, interface, buffers.data(), static_cast<uint16_t>(buffers.size()),
                      clocks_);
    flush();
  }
  void expect(ClockedStage stage, uint64_t packets) {
    const StageClocks::Stage& noted = clocks_.stages()[static_cast<size_t>(stage)];
    EXPECT_EQ(noted.packets.value(), packets) << kClockedStageNames[static_cast<size_t>(stage)];
    EXPECT_EQ(noted.ticks.value() > 0, packets > 0);
  }

  StageClocks clocks_;
};

TEST_F(Clocked, EachPacketCountsInItsStage) {
  start();
  establish(1000, 5000);
  const Bytes data = tcp_frame(inbound(kAck, 1001, 5001));
  const Bytes stranger =
      arp_frame({.sender_mac = mac(50), .sender_ip = ip4(10, 1, 0, 1), .target_ip = kVip.ip});
  clocked_burst(kClientLink, {data, data, stranger, data});
  EXPECT_EQ(sent.size(), 3u) << "the segments; ARP does not show";
  sent.clear();
  clocked_burst(kBackendLink, {tcp_frame(outbound(kAck, 5001, 1001))});
  only(kClientLink);
  expect(ClockedStage::kParse, 5);
  expect(ClockedStage::kLookUp, 5);
  expect(ClockedStage::kInbound, 3);
  expect(ClockedStage::kOutbound, 1);
  expect(ClockedStage::kOther, 1);
  expect(ClockedStage::kTransmit, 0);
}

TEST_F(Clocked, OneBurstInAThousandIsDue) {
  start();
  int due = 0;
  for (int i = 0; i < 5000; ++i) due += clocks_.is_due();
  EXPECT_EQ(due, 5);
  EXPECT_EQ(clocks_.burst_count(), 5u);
}

TEST_F(Clocked, AWorkerCallGivesAndTakes) {
  start();
  EXPECT_EQ(core->stage_clocks, nullptr);
  EXPECT_TRUE(SetStageClocks(&clocks_).step(*core));
  EXPECT_EQ(core->stage_clocks, &clocks_);
  EXPECT_TRUE(SetStageClocks(nullptr).step(*core));
  EXPECT_EQ(core->stage_clocks, nullptr);
}

}  // namespace
}  // namespace sluice::test
