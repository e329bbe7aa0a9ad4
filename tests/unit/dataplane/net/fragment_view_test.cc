// SPDX-License-Identifier: BSD-3-Clause
// What fragments say of themselves, in both families, and what they must not say.
#include "dataplane/net/fragment_view.h"

#include <gtest/gtest.h>

#include "tests/families/families.h"
#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;

constexpr uint16_t kMoreToCome = 0x2000;

struct Read {
  test::Frame frame;
  Packet packet;
  FragmentView view;
};

/// In either family.
Read read(const Bytes& frame, bool v6) {
  Read made;
  made.frame = v6 ? test::to_v6(frame) : test::Frame(frame.begin(), frame.end());
  made.packet = parse(made.frame);
  EXPECT_EQ(made.packet.kind, Packet::Kind::kBad);
  EXPECT_EQ(made.packet.reason, v6 ? DropReason::ipv6_fragment : DropReason::ipv4_fragment);
  made.view = view_fragment(made.packet);
  return made;
}

Bytes fragment(uint8_t protocol, uint16_t field, size_t size) {
  return test::ip_frame({.protocol = protocol, .fragment = field}, Bytes(size, 0xab));
}

TEST(FragmentView, OfBothFamilies) {
  for (const bool v6 : {false, true}) {
    const Read first = read(fragment(kProtocolUdp, kMoreToCome, 40), v6);
    EXPECT_EQ(first.view.offset, 0);
    EXPECT_EQ(first.view.length, 40);
    EXPECT_TRUE(first.view.more);
    EXPECT_EQ(first.view.protocol, kProtocolUdp);
    EXPECT_EQ(first.view.id.host(), 0x1234u);
    EXPECT_EQ(first.view.header_length, v6 ? 48 : 20);
    EXPECT_EQ(first.view.data[1], 0xab);
    EXPECT_EQ(first.view.source.is_v4(), !v6);
    const Read last = read(fragment(kProtocolUdp, 100, 3), v6);
    EXPECT_EQ(last.view.offset, 800);
    EXPECT_EQ(last.view.end(), 803u);
    EXPECT_FALSE(last.view.more);
  }
}

TEST(FragmentView, Faults) {
  struct Row {
    const char* what;
    uint8_t protocol;
    uint16_t field;
    size_t size;
    std::optional<DropReason> fault;
  };
  using R = DropReason;
  const Row rows[] = {
      {"UDP's first", kProtocolUdp, kMoreToCome, 8, {}},
      {"TCP's first", kProtocolTcp, kMoreToCome, 24, {}},
      {"TCP's first without its end", kProtocolTcp, kMoreToCome, 16, R::fragment_tiny},
      {"TCP from its flags on", kProtocolTcp, kMoreToCome | 1, 24, R::fragment_tiny},
      {"TCP's last, from its window on", kProtocolTcp, 2, 9, R::fragment_tiny},
      {"TCP behind its header", kProtocolTcp, 3, 9, {}},
      {"UDP's second", kProtocolUdp, 1, 9, {}},
      {"no multiple of eight", kProtocolUdp, kMoreToCome, 9, R::fragment_bad},
      {"the end of all", kProtocolUdp, 0x1fff, 7, {}},
      {"beyond it", kProtocolUdp, 0x1fff, 8, R::fragment_bad},
      {"nothing", kProtocolUdp, 4, 0, R::fragment_bad},
  };
  for (const bool v6 : {false, true}) {
    for (const Row& row : rows) {
      const Read made = read(fragment(row.protocol, row.field, row.size), v6);
      EXPECT_EQ(fragment_fault(made.view), row.fault) << row.what << v6;
    }
  }
}

TEST(FragmentView, HeadersBeforeIpv6sFragmentHeaderAreStripped) {
  Read made = read(fragment(kProtocolUdp, kMoreToCome, 40), true);
  // Destination options of eight bytes between the two headers.
  test::Frame longer(made.frame.begin(), made.frame.begin() + 54);
  const uint8_t options[] = {next_header::kFragment, 0, 1, 4, 0, 0, 0, 0};
  longer.insert(longer.end(), std::begin(options), std::end(options));
  longer.insert(longer.end(), made.frame.begin() + 54, made.frame.end());
  longer[20] = next_header::kDestinationOptions;
  longer[19] = static_cast<uint8_t>(longer[19] + 8);
  Packet packet = parse(longer);
  FragmentView view = view_fragment(packet);
  EXPECT_EQ(view.header_length, 56);
  EXPECT_EQ(strip_before_fragment(packet, view), 8);
  EXPECT_EQ(view.header_length, 48);
  EXPECT_EQ(test::Frame(longer.begin() + 8, longer.end()), made.frame);
  EXPECT_EQ(strip_before_fragment(packet, view), 0);
}

}  // namespace
}  // namespace sluice::net
