// SPDX-License-Identifier: BSD-3-Clause
// VLAN tags off frames and into them, by hand and with a device's help.
#include "dataplane/port/trunk.h"

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

const Bytes kPlain = tcp_frame({.payload = {1, 2, 3}});

Bytes tagged(const Bytes& frame, std::initializer_list<std::pair<uint16_t, uint16_t>> tags) {
  Bytes made = slice(frame, 0, 12);
  for (const auto& [type, tci] : tags) put16(made, type), put16(made, tci);
  return made + slice(frame, 12, frame.size());
}

class Tags : public testing::Test {
 protected:
  ~Tags() override { rte_pktmbuf_free(buffer_); }

  rte_mbuf* buffer(const Bytes& frame) {
    rte_pktmbuf_free(buffer_);
    buffer_ = rte_pktmbuf_alloc(packet_pool());
    std::copy(frame.begin(), frame.end(), rte_pktmbuf_mtod(buffer_, uint8_t*));
    buffer_->data_len = static_cast<uint16_t>(frame.size());
    buffer_->pkt_len = static_cast<uint32_t>(frame.size());
    return buffer_;
  }
  Bytes content() const {
    const auto* data = rte_pktmbuf_mtod(buffer_, const uint8_t*);
    return Bytes(data, data + buffer_->data_len);
  }

  const Trunk trunk_{{{0, 4, {}}, {1, 5, {100, 0}}, {2, 6, {200, 0}}, {3, 7, {100, 30}}}};
  rte_mbuf* buffer_ = nullptr;
};

TEST_F(Tags, TellWhoseAFrameIs) {
  struct Row {
    const char* what;
    Bytes frame;
    uint16_t interface;
  };
  const Row rows[] = {
      {"none", kPlain, 0},
      {"a priority alone", tagged(kPlain, {{0x8100, 0xe000}}), 0},
      {"one", tagged(kPlain, {{0x8100, 100}}), 1},
      {"with a priority", tagged(kPlain, {{0x8100, 0xa000 | 200}}), 2},
      {"two", tagged(kPlain, {{0x88a8, 30}, {0x8100, 100}}), 3},
      {"two of the same kind", tagged(kPlain, {{0x8100, 30}, {0x8100, 0x6000 | 100}}), 3},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(trunk_.take(buffer(row.frame)), row.interface) << row.what;
    EXPECT_EQ(content(), kPlain) << row.what;
  }
  EXPECT_EQ(trunk_.take(buffer(tagged(kPlain, {{0x8100, 300}}))), Trunk::kNobody);
  EXPECT_EQ(trunk_.take(buffer(tagged(kPlain, {{0x88a8, 31}, {0x8100, 100}}))), Trunk::kNobody);
  EXPECT_EQ(trunk_.take(buffer(Bytes(14))), 0);
}

TEST_F(Tags, ThatADeviceTookOffCount) {
  rte_mbuf* frame = buffer(kPlain);
  frame->vlan_tci = 0x4000 | 100;
  frame->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  EXPECT_EQ(trunk_.take(frame), 1);
  frame = buffer(tagged(kPlain, {{0x8100, 100}}));
  frame->vlan_tci = 30;
  frame->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  EXPECT_EQ(trunk_.take(frame), 3) << "the outer one of two";
  frame = buffer(kPlain);
  frame->vlan_tci = 100;
  frame->vlan_tci_outer = 30;
  frame->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ |
                    RTE_MBUF_F_RX_QINQ_STRIPPED;
  EXPECT_EQ(trunk_.take(frame), 3);
}

TEST_F(Tags, GoInWithThePriorityThatCame) {
  rte_mbuf* frame = buffer(tagged(kPlain, {{0x8100, 0xa000 | 100}}));
  trunk_.take(frame);
  EXPECT_TRUE(put_tags(frame, {200, 0}, false));
  EXPECT_EQ(content(), tagged(kPlain, {{0x8100, 0xa000 | 200}}));
  trunk_.take(frame);
  EXPECT_TRUE(put_tags(frame, {100, 30}, true));
  EXPECT_EQ(content(), tagged(kPlain, {{0x88a8, 0xa000 | 30}, {0x8100, 0xa000 | 100}}));
  EXPECT_TRUE(put_tags(buffer(kPlain), {7, 0}, false));
  EXPECT_EQ(content(), tagged(kPlain, {{0x8100, 7}}));
  frame = buffer(kPlain);
  EXPECT_TRUE(put_tags(frame, {7, 0}, true));
  EXPECT_EQ(content(), kPlain);
  EXPECT_EQ(frame->vlan_tci, 7);
  EXPECT_NE(frame->ol_flags & RTE_MBUF_F_TX_VLAN, 0u);
}

TEST_F(Tags, NeedRoom) {
  rte_mbuf* frame = buffer(kPlain);
  ASSERT_NE(rte_pktmbuf_prepend(frame, RTE_PKTMBUF_HEADROOM - 2), nullptr);
  EXPECT_FALSE(put_tags(frame, {7, 0}, false));
}

TEST(LinkNumbers, ArePortsWhereAnInterfaceHasOneToItself) {
  using Numbers = std::vector<uint16_t>;
  EXPECT_EQ(link_numbers({{0, {}}, {1, {}}}), (Numbers{0, 1}));
  EXPECT_EQ(link_numbers({{3, {}}, {1, {}}}), (Numbers{3, 1}));
  EXPECT_EQ(link_numbers({{0, {100, 0}}, {0, {200, 0}}, {1, {}}}), (Numbers{0, 2, 1}));
  EXPECT_EQ(link_numbers({{1, {}}, {1, {200, 0}}, {0, {}}}), (Numbers{1, 2, 0}));
}

}  // namespace
}  // namespace sluice::test
