// SPDX-License-Identifier: BSD-3-Clause
// Source routes among the options of IPv4.
#include "dataplane/net/ipv4_options.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/net/ipv6_builder.h"

namespace sluice::net {
namespace {

using test::Bytes;

TEST(Ipv4Options, SourceRoutes) {
  struct Row {
    const char* name;
    Bytes options;
    bool left;
  };
  const Row rows[] = {
      {"none", {}, false},
      {"no operations", Bytes(40, 1), false},
      {"loose", {131, 7, 4, 10, 0, 0, 1, 0}, true},
      {"strict", {137, 7, 4, 10, 0, 0, 1, 0}, true},
      {"taken", {131, 7, 8, 10, 0, 0, 1, 0}, false},
      {"second hop left", {131, 11, 8, 10, 0, 0, 1, 10, 0, 0, 2, 0}, true},
      {"behind others", {1, 148, 4, 0, 0, 1, 1, 137, 7, 4, 10, 0, 0, 1, 0, 0}, true},
      {"behind the end", {0, 131, 7, 4, 10, 0, 0, 1}, false},
      {"record route", {7, 7, 4, 0, 0, 0, 0, 0}, false},
      {"no pointer", {131, 2, 1, 1}, false},
      {"empty option before", {68, 0, 131, 7, 4, 10, 0, 0}, false},
      {"beyond the header", {131, 9, 4, 10, 0, 0, 1, 0}, false},
      {"nothing but its type", {1, 1, 1, 131}, false},
  };
  for (const Row& row : rows) {
    const Bytes packet = test::ip4_packet({.options = row.options}, {});
    EXPECT_EQ(has_source_route_left(*reinterpret_cast<const Ipv4Header*>(packet.data())), row.left)
        << row.name;
  }
}

}  // namespace
}  // namespace sluice::net
