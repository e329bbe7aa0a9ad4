// SPDX-License-Identifier: BSD-3-Clause
// What RFC 5508, RFC 5382 and RFC 7857 ask of a NAT that meets ICMP errors about its flows.
#include "tests/stage/stage.h"

namespace sluice::test {
namespace {

constexpr uint8_t kUnreachable = 3;
constexpr uint8_t kTimeExceeded = 11;
constexpr uint8_t kParameterProblem = 12;

class IcmpErrors : public Stage {
 protected:
  static constexpr size_t kQuoted = kTcpAt + 8;  // the quoted IP header in a frame

  /// An error of a router on that link about what came by there.
  Bytes error(uint16_t link, const Bytes& quote, uint8_t type = kUnreachable, uint8_t code = 4,
              uint32_t rest = 1400) const {
    const bool of_backends = link == kBackendLink;
    const Ip ip{.source = of_backends ? ip4(10, 2, 0, 200) : ip4(10, 1, 0, 200),
                .destination = of_backends ? local_.ip : kVip.ip,
                .to = mac(static_cast<uint8_t>(link + 1))};
    return icmp_frame(ip, type, code, rest, quote);
  }

  /// As much of a frame's packet as an error has to quote.
  static Bytes head_of(const Sent& sent) { return slice(sent.frame, kIpAt, kTcpAt + 8); }

  /// A segment of the client with data, which the backend has not acknowledged.
  Sent in_flight() {
    Tcp data = inbound(kAck, 1001, 5001);
    data.payload = Bytes(40, 'x');
    from_client(data);
    return only(kBackendLink);
  }

  /// Sends the error and takes what the client gets of it.
  Bytes passed_on(const Bytes& frame) {
    burst(kBackendLink, {frame});
    EXPECT_EQ(sent.size(), 1u);
    if (sent.empty()) return {};
    EXPECT_EQ(sent[0].port, kClientLink);
    const Bytes out = sent[0].frame;
    EXPECT_TRUE(ip_checksum_right(out) && icmp_checksum_right(out));
    sent.clear();
    return out;
  }

  /// Errors of every type and code about what either end has in flight.
  void every_error(const Bytes& of_client, const Bytes& of_backend) {
    for (const uint8_t type : {kUnreachable, kTimeExceeded, kParameterProblem}) {
      for (uint8_t code = 0; code < 17; ++code) {
        burst(kBackendLink, {error(kBackendLink, of_client, type, code)});
        burst(kClientLink, {error(kClientLink, of_backend, type, code)});
        sent.clear();
      }
    }
  }
};

TEST_F(IcmpErrors, OptionsOfTheQuotedHeaderAreSteppedOver) {
  start();
  establish(1000, 5000);
  const Bytes head = head_of(in_flight());
  Bytes quote = slice(head, 0, 20) + Bytes{0x94, 4, 0, 0} + slice(head, 20, head.size());
  quote[0] = 0x46;
  store_checksum(quote, 10, 0);
  store_checksum(quote, 10, reference_checksum(std::span(quote).first(24)));
  const Bytes out = passed_on(error(kBackendLink, quote));
  ASSERT_EQ(out.size(), kQuoted + quote.size());
  EXPECT_EQ(reference_checksum(std::span(out).subspan(kQuoted, 24)), 0);
  EXPECT_EQ(get32(out, kQuoted + 12), kClient.ip.host());
  EXPECT_EQ(get32(out, kQuoted + 20), 0x94040000u) << "the option";
  EXPECT_EQ(get16(out, kQuoted + 24), kClient.port.host());
  EXPECT_EQ(get16(out, kQuoted + 26), kVip.port.host());
  EXPECT_EQ(get32(out, kQuoted + 28), 1001u);
}

TEST_F(IcmpErrors, TheQuotedTcpChecksumIsNotJudged) {
  start();
  establish(1000, 5000);
  const Sent seen = in_flight();
  Bytes quote = slice(seen.frame, kIpAt, seen.frame.size());
  quote[20 + 16] ^= 0x55;
  const Bytes out = passed_on(error(kBackendLink, quote));
  ASSERT_EQ(out.size(), kQuoted + quote.size());
  EXPECT_EQ(slice(out, kQuoted + 28, out.size()), slice(quote, 28, quote.size()));
}

TEST_F(IcmpErrors, ExtensionsBehindTheQuotePassAsTheyAre) {
  start();
  establish(1000, 5000);
  Bytes quote = head_of(in_flight());
  quote.resize(128);  // zero padding, as RFC 4884, section 4.5, has it
  Bytes extension = {0x20, 0, 0, 0, 0, 8, 1, 1, 0xde, 0xad, 0xbe, 0xef};
  store_checksum(extension, 2, reference_checksum(extension));
  constexpr uint32_t kQuotedWords = 32 << 16;  // the length field
  for (const uint8_t type : {kUnreachable, kTimeExceeded, kParameterProblem}) {
    const Bytes out = passed_on(error(kBackendLink, quote + extension, type, 0, kQuotedWords));
    ASSERT_EQ(out.size(), kQuoted + 128 + extension.size());
    EXPECT_EQ(get16(out, kTcpAt), type << 8) << "type and code";
    EXPECT_EQ(get32(out, kTcpAt + 4), kQuotedWords);
    EXPECT_EQ(slice(out, kQuoted + 28, kQuoted + 128), Bytes(100));
    EXPECT_EQ(slice(out, kQuoted + 128, out.size()), extension);
  }
}

TEST_F(IcmpErrors, TypeAndCodeOfAnyErrorAreKept) {
  start();
  establish(1000, 5000);
  const Bytes quote = head_of(in_flight());
  for (const uint8_t type : {kUnreachable, kTimeExceeded, kParameterProblem}) {
    for (int code = 0; code < 256; ++code) {
      const Bytes out =
          passed_on(error(kBackendLink, quote, type, static_cast<uint8_t>(code), 0x01020304));
      EXPECT_EQ(get16(out, kTcpAt), type << 8 | code);
      EXPECT_EQ(get32(out, kTcpAt + 4), 0x01020304u);
    }
  }
}

TEST_F(IcmpErrors, NoneEndsAConnectionInAnyState) {
  start();
  const Sent syn = open(1000);
  from_backend(outbound(kSynAck, 5000, 1001));
  const Sent syn_ack = only(kClientLink);
  every_error(head_of(syn), head_of(syn_ack));
  EXPECT_EQ(name_of(state()), "syn_received");
  from_client(inbound(kAck, 1001, 5001));
  const Bytes of_client = head_of(only(kBackendLink));
  from_backend(outbound(kAck, 5001, 1001));
  const Bytes of_backend = head_of(only(kClientLink));
  every_error(of_client, of_backend);
  EXPECT_EQ(name_of(state()), "established");
  from_backend(outbound(kFin, 5001, 1001));
  const Bytes fin_of_backend = head_of(only(kClientLink));
  every_error(of_client, fin_of_backend);
  EXPECT_EQ(name_of(state()), "backend_closed");
  from_client(inbound(kFin, 1001, 5002));
  const Bytes fin_of_client = head_of(only(kBackendLink));
  every_error(fin_of_client, fin_of_backend);
  EXPECT_EQ(name_of(state()), "backend_first");
  EXPECT_TRUE(pool().ports.in_use(local_.port.host()));
  EXPECT_GT(events(Event::icmp_errors_translated), 300u);
  EXPECT_EQ(backend().refused.value(), 0u);
}

TEST_F(IcmpErrors, TheyKeepNoFlowAlive) {
  Scene scene;
  scene.timeouts_ms.fill(5000);
  start(scene);
  establish(1000, 5000);
  const Bytes quote = head_of(in_flight());
  for (int second = 1; second < 5; ++second) {
    pass(1000);
    passed_on(error(kBackendLink, quote));
  }
  pass(1100);
  EXPECT_EQ(flow(), FlowTable::kNone);
  EXPECT_EQ(events(Event::flows_timed_out), 1u);
  sent.clear();
}

}  // namespace
}  // namespace sluice::test
