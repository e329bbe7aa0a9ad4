// SPDX-License-Identifier: BSD-3-Clause
// proxy_protocol of UDP services: the header in front of the payload.
#include "tests/stage/udp_stage.h"

namespace sluice::test {
namespace {

constexpr size_t kLength = 16 + 12 + 19;
constexpr size_t kPayloadAt = kTcpAt + sizeof(net::UdpHeader);

class ProxyDatagram : public UdpStage {
 protected:
  static Scene told(Scene scene = {}) {
    scene.proxy = ProxyForm{net::ProxyVersion::kV2, {}};
    return udp(scene);
  }
  static Bytes payload_of(const Sent& s) {
    EXPECT_EQ(get16(s.frame, kTcpAt + 4) + kTcpAt, s.frame.size());
    EXPECT_EQ(reference_checksum(pseudo_header_and_segment(s.frame)), 0);
    EXPECT_TRUE(ip_checksum_right(s.frame));
    return slice(s.frame, kPayloadAt, s.frame.size());
  }
};

TEST_F(ProxyDatagram, StandsInFrontUntilTheBackendAnswers) {
  start(told());
  from_client(asked(Bytes(100, 'q')));
  const Sent first = only_datagram(kBackendLink);
  local_ = first.from();
  const Bytes payload = payload_of(first);
  ASSERT_EQ(payload.size(), kLength + 100);
  EXPECT_EQ(payload[12], 0x21);
  EXPECT_EQ(payload[13], 0x12) << "a datagram";
  EXPECT_EQ(get32(payload, 16), client_.ip.host());
  EXPECT_EQ(get16(payload, 24), client_.port.host());
  EXPECT_EQ(slice(payload, kLength, payload.size()), Bytes(100, 'q'));
  from_client(asked(Bytes{'r'}));
  const Bytes again = payload_of(only_datagram(kBackendLink));
  EXPECT_EQ(slice(again, 0, kLength), slice(payload, 0, kLength)) << "the same id";
  answer();
  from_client(asked(Bytes{'s'}));
  EXPECT_EQ(payload_of(only_datagram(kBackendLink)), Bytes{'s'});
  EXPECT_EQ(core->flows[udp_flow()].bytes_in(), 102u) << "headers are not the client's";
  EXPECT_EQ(events(Event::proxy_headers_sent), 1u);
  EXPECT_EQ(events(Event::proxy_headers_resent), 1u);
}

TEST_F(ProxyDatagram, AnEmptyOneHasIt) {
  start(told());
  from_client(asked(Bytes{}));
  EXPECT_EQ(payload_of(only_datagram(kBackendLink)).size(), kLength);
}

TEST_F(ProxyDatagram, OneWithoutAChecksumStaysSo) {
  start(told());
  Udp datagram = asked();
  datagram.has_checksum = false;
  from_client(datagram);
  EXPECT_EQ(get16(only_datagram(kBackendLink).frame, kUdpChecksumAt), 0);
}

TEST_F(ProxyDatagram, WhoSendsTooMuchHearsWhatFits) {
  start(told());
  from_client(asked(Bytes(1472 - kLength, 'q')));
  EXPECT_EQ(payload_of(only_datagram(kBackendLink)).size(), 1472u);
  EXPECT_DROP(mtu_exceeded, from_client(asked(Bytes(1472 - kLength + 1, 'q'))));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].port, kClientLink);
  EXPECT_EQ(sent[0].frame[kIpAt + 9], net::kProtocolIcmp);
  EXPECT_EQ(get16(sent[0].frame, kTcpAt + 6), 1500 - kLength);
  sent.clear();
}

TEST_F(ProxyDatagram, OneThatMayBeCutIsCut) {
  start(told());
  Udp datagram = asked(Bytes(1472, 'q'));
  datagram.ip.fragment = 0;
  from_client(datagram);
  EXPECT_EQ(sent.size(), 2u);
  EXPECT_EQ(events(Event::packets_fragmented), 1u);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
