// SPDX-License-Identifier: BSD-3-Clause
// Which SYNs are known to come again.
#include "dataplane/state/syn_memory.h"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice {
namespace {

FlowKey key_of(uint32_t number) {
  return {test::endpoint(net::be32::from_host(number), static_cast<uint16_t>(number)), 3};
}

TEST(SynMemory, ASynIsRepeatedAfterATimeoutOfItsClient) {
  for (const uint32_t begin : {0u, 5'000u, 0xffffff00u, 0x80000000u, 2'097'151u}) {
    net::Random random({1, 2});
    SynMemory memory(random, std::pmr::get_default_resource());
    const auto seen = [&](uint32_t client, uint32_t sequence, uint32_t after) {
      return memory.look_up(key_of(client), sequence, begin + after);
    };
    EXPECT_EQ(seen(1, 1000, 1'000), SynSeen::kFirst) << "nothing was noted";
    memory.note(key_of(1), 1000, begin);
    for (const uint32_t after : {0u, 1u, 400u, 890u}) {
      EXPECT_EQ(seen(1, 1000, after), SynSeen::kCopy) << after;
    }
    for (const uint32_t after : {950u, 1'000u, 3'000u, 7'000u}) {
      EXPECT_EQ(seen(1, 1000, after), SynSeen::kRepeated) << after;
    }
    EXPECT_EQ(seen(1, 1001, 1'000), SynSeen::kFirst) << "another SYN";
    EXPECT_EQ(seen(2, 1000, 1'000), SynSeen::kFirst) << "another client";
    EXPECT_EQ(seen(1, 1000, 9'000), SynSeen::kFirst) << "too long ago";
    memory.note(key_of(1), 1000, begin + 1'000);
    EXPECT_EQ(seen(1, 1000, 1'500), SynSeen::kCopy) << "of the second";
    EXPECT_EQ(seen(1, 1000, 3'000), SynSeen::kRepeated);
  }
}

TEST(SynMemory, HoldsAQuarterOfAMillion) {
  net::Random random({1, 2});
  SynMemory memory(random, std::pmr::get_default_resource());
  EXPECT_LE(SynMemory::bytes(), size_t{1} << 20);
  // 100,000 a second for four seconds: who was there within the last second and a half is known.
  constexpr uint32_t kPerMs = 100, kMs = 4'000;
  for (uint32_t i = 0; i < kPerMs * kMs; ++i) memory.note(key_of(i), i, i / kPerMs);
  uint32_t known = 0, strangers = 0;
  for (uint32_t ms = kMs - 1'500; ms < kMs - 950; ++ms) {
    known += memory.look_up(key_of(ms * kPerMs), ms * kPerMs, kMs) == SynSeen::kRepeated;
    strangers += memory.look_up(key_of(ms * kPerMs), ms * kPerMs + 1, kMs) != SynSeen::kFirst;
  }
  EXPECT_GE(known, 540u);
  EXPECT_LE(strangers, 5u);
}

}  // namespace
}  // namespace sluice
