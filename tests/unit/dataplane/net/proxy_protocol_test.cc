// SPDX-License-Identifier: BSD-3-Clause
// PROXY headers byte by byte, and what is hidden of them.
#include "dataplane/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include "dataplane/net/rewrite.h"
#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using test::endpoint;
using test::ip4;

const Ipv6Endpoint kClient6{{{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
                            be16::from_host(65535)};
const Ipv6Endpoint kVip6{{{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}},
                         be16::from_host(443)};

std::string text(uint16_t length, const ProxyHeader& header) {
  return std::string(header.begin(), header.begin() + length);
}

TEST(ProxyProtocol, Version1) {
  ProxyHeader header;
  const ProxyFields fields{endpoint(ip4(192, 0, 2, 1), 40000), endpoint(ip4(10, 3, 0, 1), 80)};
  const uint16_t length = write_proxy_header(ProxyVersion::kV1, fields, header);
  EXPECT_EQ(text(length, header), "PROXY TCP4 192.0.2.1 10.3.0.1 40000 80\r\n");
  EXPECT_EQ(proxy_header_length(ProxyVersion::kV1, fields), length);
  const ProxyFields fields6{kClient6, kVip6};
  EXPECT_EQ(text(write_proxy_header(ProxyVersion::kV1, fields6, header), header),
            "PROXY TCP6 2001:db8::1 fd00::2 65535 443\r\n");
}

TEST(ProxyProtocol, Version2) {
  ProxyHeader header;
  ProxyFields fields{endpoint(ip4(192, 0, 2, 1), 40000), endpoint(ip4(10, 3, 0, 1), 80)};
  fields.unique_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  fields.authority = "a.example";
  const uint16_t length = write_proxy_header(ProxyVersion::kV2, fields, header);
  EXPECT_EQ(
      Bytes(header.begin(), header.begin() + length),
      (Bytes{0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0,
             43,   192,  0,    2,    1,    10,   3,    0,    1,    0x9c, 0x40, 0,    80,   5,    0,
             16,   1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,
             15,   16,   2,    0,    9,    'a',  '.',  'e',  'x',  'a',  'm',  'p',  'l',  'e'}));
  EXPECT_EQ(proxy_header_length(ProxyVersion::kV2, fields), length);
  fields.protocol = Protocol::kUdp;
  write_proxy_header(ProxyVersion::kV2, fields, header);
  EXPECT_EQ(header[13], 0x12);
}

TEST(ProxyProtocol, TheLongestFits) {
  const std::string name(kProxyAuthorityMax, 'x');
  ProxyFields fields{kClient6, kVip6};
  fields.authority = name;
  ProxyHeader header;
  EXPECT_EQ(write_proxy_header(ProxyVersion::kV2, fields, header), header.size());
  EXPECT_EQ(header[13], 0x21);
}

TEST(ProxyProtocol, OfOurOwnConnections) {
  ProxyHeader header;
  EXPECT_EQ(text(write_local_proxy_header(ProxyVersion::kV1, header), header), "PROXY UNKNOWN\r\n");
  ASSERT_EQ(write_local_proxy_header(ProxyVersion::kV2, header), 16);
  EXPECT_EQ(header[12], 0x20);
  EXPECT_EQ(header[13] + header[14] + header[15], 0);
}

TcpHeader& tcp_of(Bytes& frame) {
  return *reinterpret_cast<TcpHeader*>(frame.data() + test::kTcpAt);
}
Bytes options_of(const Bytes& frame) {
  return test::slice(frame, test::kTcpAt + 20, frame.size());
}

TEST(HideBelow, MovesTheWindowWithTheAcknowledgement) {
  Bytes frame = test::tcp_frame({.acknowledgement = 1000, .window = 500});
  hide_below(tcp_of(frame), 1047, 2);
  EXPECT_EQ(tcp_of(frame).acknowledgement.host(), 1047u);
  EXPECT_EQ(tcp_of(frame).window.host(), 488) << "47 bytes are 12 units of four";
  EXPECT_TRUE(test::tcp_checksum_right(frame));
  hide_below(tcp_of(frame), 1'000'000, 0);
  EXPECT_EQ(tcp_of(frame).window.host(), 0);
  EXPECT_TRUE(test::tcp_checksum_right(frame));
}

TEST(HideBelow, KeepsBlocksAbove) {
  using namespace test::option;
  using test::operator+;
  struct Case {
    std::initializer_list<uint32_t> before, after;
  };
  for (const auto& [before, after] :
       {Case{{900, 1000}, {}}, Case{{1010, 1020}, {1010, 1020}},
        Case{{900, 1000, 1010, 1020}, {1010, 1020}}, Case{{1010, 1020, 990, 1000}, {1010, 1020}},
        Case{{950, 1005}, {1000, 1005}}}) {
    for (const size_t pad : {1, 2}) {
      Bytes frame = test::tcp_frame({.acknowledgement = 1005, .options = nop(pad) + sack(before)});
      const Bytes kept = after.size() == 0 ? Bytes{} : sack(after);
      hide_below(tcp_of(frame), 1000, 0);
      const size_t room = 2 + 4 * before.size();
      EXPECT_EQ(test::slice(options_of(frame), pad, pad + room), kept + nop(room - kept.size()));
      EXPECT_EQ(tcp_of(frame).acknowledgement.host(), 1005u);
      EXPECT_TRUE(test::tcp_checksum_right(frame));
    }
  }
}

TEST(HideBelow, NoBlocksWhileItAcknowledgesLess) {
  using namespace test::option;
  using test::operator+;
  Bytes frame = test::tcp_frame({.acknowledgement = 900, .options = nop(2) + sack({1000, 1100})});
  hide_below(tcp_of(frame), 1000, 0);
  EXPECT_EQ(options_of(frame), nop(12));
  EXPECT_TRUE(test::tcp_checksum_right(frame));
}

TEST(RemoveFastOpen, LeavesTheOthers) {
  using namespace test::option;
  using test::operator+;
  const Bytes cookie = {34, 6, 1, 2, 3, 4}, experiment = {254, 6, 0xf9, 0x89, 1, 2};
  const Bytes other = {254, 6, 1, 2, 3, 4};
  Bytes frame = test::tcp_frame(
      {.flags = tcp_flag::kSyn, .options = mss(1460) + cookie + experiment + other});
  remove_fast_open(tcp_of(frame));
  EXPECT_EQ(test::slice(options_of(frame), 0, 22), mss(1460) + nop(12) + other);
  EXPECT_TRUE(test::tcp_checksum_right(frame));
}

}  // namespace
}  // namespace sluice::net
