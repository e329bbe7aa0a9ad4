// SPDX-License-Identifier: BSD-3-Clause
// Packets of IPv6 in fragments: each as it is written, and all of them put together again.
#include "dataplane/net/ipv6_fragment.h"

#include <gtest/gtest.h>

#include "dataplane/net/ipv6.h"
#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;

Bytes counted(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 29 + i / 256);
  return bytes;
}

TEST(Ipv6Fragments, Count) {
  struct Row {
    size_t payload;
    uint16_t mtu, count;
  };
  for (const Row& row :
       {Row{1232, 1280, 1}, Row{1233, 1280, 2}, Row{2464, 1280, 2}, Row{2465, 1280, 3},
        Row{1232, 1279, 2}, Row{65535, 1280, 54}, Row{8, 56, 1}, Row{8, 55, 0}, Row{8, 0, 0}}) {
    const Ipv6Header ip = make_ipv6_header(kProtocolUdp, static_cast<uint16_t>(row.payload), 64,
                                           test::ip6(1, 1), test::ip6(3, 1));
    EXPECT_EQ(ipv6_fragment_count(ip, row.mtu), row.count) << row.payload << ' ' << row.mtu;
  }
}

TEST(Ipv6Fragments, TogetherAreThePacket) {
  for (const uint16_t mtu : {1280, 1287, 1300, 1500}) {
    for (const size_t size : {1400, 1480, 2464, 4000, 65515}) {
      SCOPED_TRACE(testing::Message() << mtu << ' ' << size);
      const Bytes payload = counted(size);
      const test::Ip6 fields{.next_header = 17, .traffic_class = 0xb9, .flow_label = 0x12345};
      const Bytes packet = test::ip6_packet(fields, payload);
      const auto& ip = *reinterpret_cast<const Ipv6Header*>(packet.data());
      const uint16_t count = ipv6_fragment_count(ip, mtu);
      Bytes together;
      for (uint16_t number = 0; number < count; ++number) {
        Bytes fragment(mtu, 0xee);
        fragment.resize(write_ipv6_fragment(ip, payload, mtu, number, 0xabcd, fragment));
        Bytes behind = {17, 0};
        const bool last = number + 1 == count;
        test::put16(behind, static_cast<uint16_t>(together.size() | (last ? 0 : 1)));
        test::put32(behind, 0xabcd);
        const Bytes data = test::from(fragment, 48);
        test::Ip6 wanted = fields;
        wanted.next_header = 44;
        EXPECT_EQ(fragment, test::ip6_packet(wanted, behind + data));
        EXPECT_TRUE(last || (data.size() % 8 == 0 && data.size() + 8 > mtu - 48u)) << number;
        together = together + data;
      }
      EXPECT_EQ(together, payload);
    }
  }
}

}  // namespace
}  // namespace sluice::net
