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
    EXPECT_FALSE(memory.is_repeated(key_of(1), 1000, begin + 1'000)) << "nothing was noted";
    memory.note(key_of(1), 1000, begin);
    memory.note(key_of(1), 1000, begin + 400);  // a copy does not make it younger
    EXPECT_FALSE(memory.is_repeated(key_of(1), 1000, begin + 400)) << "a copy on the way";
    for (const uint32_t after : {600u, 1'000u, 3'000u, 7'000u}) {
      EXPECT_TRUE(memory.is_repeated(key_of(1), 1000, begin + after)) << after;
    }
    EXPECT_FALSE(memory.is_repeated(key_of(1), 1001, begin + 1'000)) << "another SYN";
    EXPECT_FALSE(memory.is_repeated(key_of(2), 1000, begin + 1'000)) << "another client";
    EXPECT_FALSE(memory.is_repeated(key_of(1), 1000, begin + 9'000)) << "too long ago";
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
  for (uint32_t ms = kMs - 1'500; ms < kMs - 600; ++ms) {
    known += memory.is_repeated(key_of(ms * kPerMs), ms * kPerMs, kMs);
    strangers += memory.is_repeated(key_of(ms * kPerMs), ms * kPerMs + 1, kMs);
  }
  EXPECT_GE(known, 890u);
  EXPECT_LE(strangers, 5u);
}

}  // namespace
}  // namespace sluice
