// SPDX-License-Identifier: BSD-3-Clause
// Bursts whose packets change what the bulk look-up found for those behind them.
#include <random>

#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Burst : public Stage {
 protected:
  void burst_from_client(std::initializer_list<Tcp> segments) {
    std::vector<Bytes> frames;
    for (const Tcp& segment : segments) frames.push_back(tcp_frame(segment));
    burst(kClientLink, frames);
  }
};

TEST_F(Burst, ASynAndItsRetransmission) {
  start();
  burst_from_client({inbound(kSyn, 1000), inbound(kSyn, 1000)});
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].frame, sent[1].frame);
  sent.clear();
  EXPECT_EQ(events(Event::flows_opened), 1u);
  EXPECT_EQ(events(Event::syns_copied), 1u);
}

TEST_F(Burst, ASynAndItsReset) {
  start();
  burst_from_client({inbound(kSyn, 1000), inbound(kRst, 1001)});
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[0].from(), sent[1].from());
  EXPECT_EQ(sent[1].flags(), kRst);
  sent.clear();
  EXPECT_EQ(core->flows.flow_count(), 0u);
}

TEST_F(Burst, ASynAndAnother) {
  start();
  burst_from_client({inbound(kSyn, 1000), inbound(kSyn, 90'000), inbound(kSyn, 90'000)});
  ASSERT_EQ(sent.size(), 4u);  // SYN, RST, SYN, SYN
  EXPECT_EQ(sent[1].flags(), kRst);
  EXPECT_EQ(sent[1].from(), sent[0].from());
  EXPECT_EQ(sent[2].from(), sent[3].from());
  EXPECT_NE(sent[2].from(), sent[0].from());
  sent.clear();
  EXPECT_EQ(core->flows.flow_count(), 1u);
}

TEST_F(Burst, AResetAndANewSynOnTheSamePort) {
  start();
  establish(1000, 5000);
  burst_from_client({inbound(kRst, 1001), inbound(kSyn, 90'000), inbound(kSyn, 90'000)});
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].flags(), kRst);
  EXPECT_EQ(sent[1].flags(), kSyn);
  EXPECT_EQ(sent[2].frame, sent[1].frame);
  sent.clear();
  EXPECT_EQ(core->flows.flow_count(), 1u);
  EXPECT_EQ(name_of(state()), "syn_sent");
}

TEST_F(Burst, AFrameInPieces) {
  start();
  for (const uint16_t cut : {1, 13, 14, 23, 34, 35, 53}) {
    cut_at = 0;
    next_client();
    const Sent whole = open(1000);
    cut_at = cut;
    next_client();
    const Sent joined = open(1000);
    EXPECT_EQ(joined.raw.size(), whole.raw.size()) << cut;
    EXPECT_EQ(joined.sequence(), 1000u) << cut;
  }
}

// The port of the one is given to the other within the burst; the entry, too, in a full table.
TEST_F(Burst, OneEndsAndAnotherTakesItsPlace) {
  Scene scene{.ports = {2000, 2003}, .limits = {4, 64, 64}};
  start(scene);
  auto eager = make_snapshot(scene);
  eager->reuse.guard_ms = 0;
  adopt(std::move(eager));
  sent.clear();
  std::vector<net::Ipv4Endpoint> clients;
  for (int i = 0; i < 4; ++i, next_client()) {
    establish(1000, 5000);
    clients.push_back(client_);
  }
  Tcp reset = inbound(kRst, 1001), late = inbound(kAck, 1001, 5001), syn = inbound(kSyn, 7);
  reset.from = late.from = clients[2];
  burst_from_client({reset, syn, late, syn});
  ASSERT_EQ(sent.size(), 4u);  // each link's frames together
  EXPECT_EQ(sent[0].port, kClientLink) << "the late segment is nobody's now";
  EXPECT_EQ(sent[0].flags(), kRst);
  EXPECT_EQ(sent[0].to(), clients[2]);
  EXPECT_EQ(sent[1].flags(), kRst);
  EXPECT_EQ(sent[2].flags(), kSyn);
  EXPECT_EQ(sent[2].from(), sent[1].from()) << "the only free port";
  EXPECT_EQ(sent[3].frame, sent[2].frame);
  sent.clear();
}

TEST_F(Burst, AStaleAnswerAndTheAnswer) {
  start();
  open(1000);
  burst(kBackendLink,
        {tcp_frame(outbound(kAck, 777, 40'000)), tcp_frame(outbound(kSynAck, 5000, 1001))});
  int to_client = 0;
  for (const Sent& s : sent) to_client += s.port == kClientLink;
  EXPECT_EQ(to_client, 0) << "the SYN-ACK answers a SYN whose number is fitted by now";
  sent.clear();
}

// Full bursts of everything at once: each packet is sent, kept or counted.
TEST_F(Burst, GarbageAmongFlows) {
  start({.ports = {2000, 2999}, .limits = {256, 64, 64}});
  std::mt19937 random(21);
  establish(1000, 5000);
  const net::Ipv4Endpoint good = client_;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Bytes> frames;
    const bool from_clients = random() % 2 == 0;
    for (uint32_t i = 0; i < 1 + random() % kBurstMax; ++i) {
      const uint8_t flags[] = {kSyn, kAck, kFin, kRst, kSynAck, kRstAck};
      Tcp tcp = from_clients ? inbound(flags[random() % 6], random() % 4000, random() % 8000)
                             : outbound(flags[random() % 6], random() % 8000, random() % 4000);
      (from_clients ? tcp.from : tcp.to).port =
          net::be16::from_host(static_cast<uint16_t>(41000 + random() % 300));
      if (!from_clients)
        tcp.to.port = net::be16::from_host(static_cast<uint16_t>(2000 + random() % 1000));
      tcp.options = Bytes(random() % 6 * 4);
      for (uint8_t& b : tcp.options) b = static_cast<uint8_t>(random() % 12);
      Bytes frame = tcp_frame(tcp);
      if (!from_clients && tcp.to == local_) continue;
      for (uint32_t n = random() % 3; n > 0; --n)
        frame[14 + random() % (frame.size() - 14)] ^= static_cast<uint8_t>(random());
      if (random() % 2 == 0) frame.resize(random() % frame.size() + 1);
      frames.push_back(frame);
    }
    if (frames.empty()) continue;
    burst(from_clients ? kClientLink : kBackendLink, frames);
    sent.clear();
    if (round % 10 == 0) pass(100);
    sent.clear();
  }
  client_ = good;
  from_client(inbound(kAck, 1001, 5001));
  const Sent out = only(kBackendLink);
  EXPECT_EQ(out.from(), local_) << "and the good connection lives";
}

}  // namespace
}  // namespace sluice::test
