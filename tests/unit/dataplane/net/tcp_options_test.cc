// SPDX-License-Identifier: BSD-3-Clause
// The walk over TCP options: where things stand, and every way in which a list can be malformed.
#include "dataplane/net/tcp_options.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;
using namespace test::option;

// A TCP header alone on the heap: one byte read beyond it is an ASan report.
struct Header {
  explicit Header(Bytes options) : bytes(sizeof(TcpHeader)) {
    options.resize((options.size() + 3) / 4 * 4);
    bytes[12] = static_cast<uint8_t>((sizeof(TcpHeader) + options.size()) / 4 << 4);
    bytes = bytes + options;
    bytes.shrink_to_fit();
  }
  const TcpHeader& tcp() const { return *reinterpret_cast<const TcpHeader*>(bytes.data()); }
  Bytes bytes;
};

TEST(TcpOptions, WhereThingsStand) {
  struct Row {
    const char* name;
    Bytes options;
    TcpOptions found;  // timestamps, sack, edges, scale, has scale
  };
  const Bytes linux_syn = mss(1460) + Bytes{4, 2} + timestamps(1, 0) + nop() + window_scale(7);
  const Row rows[] = {
      {"none", {}, {}},
      {"Linux' SYN", linux_syn, {28, 0, 0, 7, true}},
      {"Linux' ACK", nop(2) + timestamps(1, 2), {24, 0, 0, 0, false}},
      {"timestamps first", timestamps(1, 2), {22, 0, 0, 0, false}},
      {"timestamps at an odd offset", nop() + timestamps(1, 2), {23, 0, 0, 0, false}},
      {"timestamps at the very end", nop(30) + timestamps(1, 2), {52, 0, 0, 0, false}},
      {"timestamps twice: the last counts",
       timestamps(1, 2) + timestamps(3, 4),
       {32, 0, 0, 0, false}},
      {"one SACK block", nop(2) + sack({1, 2}), {0, 24, 2, 0, false}},
      {"three SACK blocks with timestamps",
       nop(2) + timestamps(1, 2) + nop(2) + sack({1, 2, 3, 4, 5, 6}),
       {24, 36, 6, 0, false}},
      {"four SACK blocks at an odd offset",
       nop() + sack({1, 2, 3, 4, 5, 6, 7, 8}),
       {0, 23, 8, 0, false}},
      {"scale 0 is there", window_scale(0), {0, 0, 0, 0, true}},
      {"scale 14", window_scale(14), {0, 0, 0, 14, true}},
      {"scale 15 counts as 14", window_scale(15), {0, 0, 0, 14, true}},
      {"scale 255 counts as 14", window_scale(255), {0, 0, 0, 14, true}},
      {"unknown options are stepped over",
       Bytes{254, 6, 8, 10, 8, 10} + timestamps(1, 2),
       {28, 0, 0, 0, false}},
      {"nothing counts after the end", Bytes{0} + timestamps(1, 2), {}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Header header(row.options);
    const TcpOptions found = parse_tcp_options(header.tcp());
    EXPECT_EQ(found.timestamps_offset, row.found.timestamps_offset);
    EXPECT_EQ(found.sack_offset, row.found.sack_offset);
    EXPECT_EQ(found.sack_edge_count, row.found.sack_edge_count);
    EXPECT_EQ(found.window_scale, row.found.window_scale);
    EXPECT_EQ(found.has_window_scale, row.found.has_window_scale);
    EXPECT_EQ(find_timestamps(header.tcp()), row.found.timestamps_offset);
  }
}

TEST(TcpOptions, MalformedLists) {
  struct Row {
    const char* name;
    Bytes options;  // a multiple of four
    bool timestamps = false;
  };
  const Row rows[] = {
      {"length 0 would loop for ever", {254, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}},
      {"length 1", {254, 1, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}},
      {"kind without a length at the end", {1, 1, 1, 8}},
      {"length beyond the header", {1, 1, 8, 10}},
      {"length one beyond the header", {8, 10, 0, 0, 0, 1, 0, 0}},
      {"length 255", {8, 255, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}},
      {"timestamps too short", {8, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}},
      {"timestamps too long", {8, 12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0}},
      {"timestamps of length 2", {8, 2, 1, 1}},
      {"what came before a broken one counts", timestamps(1, 2) + Bytes{254, 99}, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Header header(row.options);
    EXPECT_EQ(parse_tcp_options(header.tcp()).has_timestamps(), row.timestamps);
    EXPECT_EQ(find_timestamps(header.tcp()) != 0, row.timestamps);
  }
}

TEST(TcpOptions, MalformedSackAndScaleAreIgnored) {
  const Bytes lists[] = {
      {5, 2, 1, 1},              // no block
      {5, 6, 0, 0, 0, 1, 1, 1},  // half a block
      {5, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0},
      {3, 2, 1, 1},  // no adjustment
      {3, 4, 7, 7},  // two
  };
  for (const Bytes& list : lists) {
    const Header header(list);
    const TcpOptions found = parse_tcp_options(header.tcp());
    EXPECT_EQ(found.sack_edge_count, 0);
    EXPECT_FALSE(found.has_window_scale);
  }
}

// Whatever stands there: no read outside (ASan), and what is found lies inside.
TEST(TcpOptions, Garbage) {
  std::mt19937 random(6);
  for (int round = 0; round < 200'000; ++round) {
    Bytes options(random() % 11 * 4);
    const uint8_t interesting[] = {0, 1, 2, 3, 4, 5, 8, 10, 18, 34, 40, 255};
    for (uint8_t& b : options) {
      b = random() % 4 == 0 ? static_cast<uint8_t>(random()) : interesting[random() % 12];
    }
    const Header header(options);
    const TcpOptions found = parse_tcp_options(header.tcp());
    const size_t size = header.bytes.size();
    if (found.has_timestamps()) {
      ASSERT_GE(found.timestamps_offset, sizeof(TcpHeader) + 2);
      ASSERT_LE(found.timestamps_offset + 8u, size);
    }
    if (found.sack_edge_count > 0) {
      ASSERT_EQ(found.sack_edge_count % 2, 0);
      ASSERT_LE(found.sack_offset + 4u * found.sack_edge_count, size);
    }
    ASSERT_LE(found.window_scale, 14);
    ASSERT_EQ(find_timestamps(header.tcp()), found.timestamps_offset);
  }
}

}  // namespace
}  // namespace sluice::net
