// SPDX-License-Identifier: BSD-3-Clause
// Server IDs in the connection IDs of QUIC.
#include "dataplane/net/quic.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::net {
namespace {

using Datagram = std::vector<uint8_t>;

constexpr QuicIdLayout kLayout{.config_id = 2, .server_id_length = 2};

Datagram long_header(const Datagram& id) {
  Datagram datagram = {0xc3, 0, 0, 0, 1, static_cast<uint8_t>(id.size())};
  datagram.insert(datagram.end(), id.begin(), id.end());
  datagram.insert(datagram.end(), {0, 1, 2, 3});  // no source ID, then the rest
  return datagram;
}

TEST(Quic, ReadsTheServerIdOfBothHeaders) {
  const Datagram id = {0x47, 0x0a, 0x0b, 0xff, 0xee};
  EXPECT_EQ(read_quic_server_id(long_header(id), kLayout), 0x0a0bu);
  Datagram short_header = {0x40};
  short_header.insert(short_header.end(), id.begin(), id.end());
  EXPECT_EQ(read_quic_server_id(short_header, kLayout), 0x0a0bu);
  EXPECT_EQ(read_quic_server_id(long_header({0x40, 1, 2}), kLayout), 0x0102u) << "nothing behind";
}

TEST(Quic, ReadsEightBytes) {
  const QuicIdLayout layout{.config_id = 0, .server_id_length = 8};
  EXPECT_EQ(read_quic_server_id(long_header({0x08, 1, 2, 3, 4, 5, 6, 7, 8, 9}), layout),
            0x0102030405060708u);
}

TEST(Quic, ReadsNothingOfWhatHasNoServerId) {
  const struct {
    const char* name;
    Datagram datagram;
  } rows[] = {
      {"empty", {}},
      {"a short header alone", {0x40}},
      {"a short header cut off", {0x40, 0x47, 1}},
      {"a long header cut off before its length", {0xc3, 0, 0, 0, 1}},
      {"a long header without an ID", long_header({})},
      {"an ID cut off", {0xc3, 0, 0, 0, 1, 5, 0x47, 1, 2}},
      {"an ID too short", long_header({0x47, 1})},
      {"another configuration", long_header({0x67, 1, 2, 3})},
      {"no configuration", long_header({0xe7, 1, 2, 3})},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(read_quic_server_id(row.datagram, kLayout), std::nullopt) << row.name;
  }
}

}  // namespace
}  // namespace sluice::net
