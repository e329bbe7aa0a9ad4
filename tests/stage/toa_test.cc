// SPDX-License-Identifier: BSD-3-Clause
// toa: the client's address in a TCP option.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

class Toa : public Stage {
 protected:
  Bytes expected() const {
    const net::Endpoint client = seen_by_core(client_);
    const auto ip = client.ip.bytes();
    Bytes bytes = {254, static_cast<uint8_t>(4 + ip.size())};
    put16(bytes, client.port.host());
    bytes.insert(bytes.end(), ip.begin(), ip.end());
    return bytes;
  }
  static Bytes options_of(const Sent& s) {
    return slice(s.frame, kTcpAt + 20, kTcpAt + (s.frame[kTcpAt + 12] >> 4) * 4u);
  }
  static size_t payload_size(const Sent& s) {
    return s.frame.size() - kTcpAt - (s.frame[kTcpAt + 12] >> 4) * 4u;
  }
  void shake_hands(const Bytes& options = {}, const Bytes& answer = {}) {
    const Sent syn = open(1000, options);
    EXPECT_EQ(options_of(syn).size(), (options.size() + 3) / 4 * 4) << "SYNs go without";
    from_backend(outbound(kSynAck, 5000, syn.sequence() + 1, answer));
    only(kClientLink);
    from_client(inbound(kAck, 1001, 5001, options));
  }
  Tcp data(size_t size, const Bytes& options = {}) const {
    Tcp tcp = inbound(kAck, 1001, 5001, options);
    tcp.payload = Bytes(size, 'x');
    return tcp;
  }
};

TEST_F(Toa, IsOnTheAcknowledgementAndOnDataUntilItIsAcknowledged) {
  start({.toa = true});
  shake_hands();
  EXPECT_EQ(options_of(only(kBackendLink)), expected());
  for (int i = 0; i < 2; ++i) {
    from_client(data(100));
    const Sent first = only(kBackendLink);
    EXPECT_EQ(options_of(first), expected());
    EXPECT_EQ(payload_size(first), 100u);
  }
  from_backend(outbound(kAck, 5001, 1101));
  only(kClientLink);
  Tcp more = inbound(kAck, 1101, 5001);
  more.payload = Bytes(100, 'y');
  from_client(more);
  EXPECT_TRUE(options_of(only(kBackendLink)).empty());
  EXPECT_FALSE(core->flows[flow()].adjusted) << "the short way again";
  EXPECT_EQ(events(Event::toa_sent), 3u);
  close_by_client(1201, 5001);
}

TEST_F(Toa, StandsInFrontOfOtherOptions) {
  start({.toa = true});
  const Bytes stamps = option::nop(2) + option::timestamps(5, 9);
  shake_hands(stamps, option::timestamps(9, 5));
  EXPECT_EQ(options_of(only(kBackendLink)), expected() + stamps);
}

TEST_F(Toa, IsLeftOutWhereOptionsAreFull) {
  start({.toa = true});
  const Bytes full = option::nop(36);
  shake_hands();
  only(kBackendLink);
  from_client(data(10, full));
  EXPECT_EQ(options_of(only(kBackendLink)), full);
  EXPECT_EQ(events(Event::toa_left_out), 1u);
}

TEST_F(Toa, NeverMakesASegmentLargerThanTheMtu) {
  start({.toa = true});
  shake_hands();
  only(kBackendLink);
  const size_t room = 1500 - 40 - (families_.v6_backends ? 20 : 0);
  from_client(data(room - expected().size()));
  EXPECT_EQ(options_of(only(kBackendLink)), expected());
  from_client(data(room - expected().size() + 1));
  EXPECT_TRUE(options_of(only(kBackendLink)).empty());
}

TEST_F(Toa, StandsBesideAnAdjustedNumber) {
  start({.ports = {2000, 2000}, .toa = true});
  shake_hands();
  only(kBackendLink);
  close_by_backend(1001, 5001);
  next_client();
  const Sent syn = open(10);
  ASSERT_NE(syn.sequence(), 10u);
  from_backend(outbound(kSynAck, 9000, syn.sequence() + 1));
  only(kClientLink);
  from_client(inbound(kAck, 11, 9001));
  const Sent ack = only(kBackendLink);
  EXPECT_EQ(ack.sequence(), syn.sequence() + 1);
  EXPECT_EQ(options_of(ack), expected());
}

TEST_F(Toa, WhoDoesNotAskForItHasNone) {
  start();
  shake_hands();
  EXPECT_TRUE(options_of(only(kBackendLink)).empty());
}

}  // namespace
}  // namespace sluice::test
