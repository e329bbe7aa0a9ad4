// SPDX-License-Identifier: BSD-3-Clause
// The flat map against a std::map, with keys of one word and of three.
#include "dataplane/state/flat_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "dataplane/net/address.h"

namespace sluice {
namespace {

/// As an IPv6 endpoint with a protocol has it.
struct LongKey {
  net::Ipv6Address ip;
  net::be16 port;
  uint16_t protocol = 0;
  uint32_t pool = 0;
  auto operator<=>(const LongKey&) const = default;
};
static_assert(sizeof(LongKey) == 24);

template <class Key>
Key nth_key(uint64_t n);
template <>
uint64_t nth_key(uint64_t n) {
  return n;
}
/// Neighbouring numbers differ in the first word, the second or the third.
template <>
LongKey nth_key(uint64_t n) {
  LongKey key{};
  key.ip.bytes[7] = static_cast<uint8_t>(n % 7);
  key.ip.bytes[15] = static_cast<uint8_t>(n / 7 % 5);
  key.pool = static_cast<uint32_t>(n / 35);
  return key;
}

template <class Key>
class FlatMaps : public testing::Test {};
using Keys = testing::Types<uint64_t, LongKey>;
TYPED_TEST_SUITE(FlatMaps, Keys);

TYPED_TEST(FlatMaps, EmptyKnowsNothing) {
  const FlatMap<TypeParam> map;
  for (uint64_t n = 0; n < 100; ++n) EXPECT_EQ(map.find(nth_key<TypeParam>(n)), map.kNone);
}

// Crowded, so that probing chains meet, close and wrap round.
TYPED_TEST(FlatMaps, AgainstAMap) {
  for (const uint32_t keys : {2u, 5u, 40u, 1000u}) {
    std::mt19937_64 random(keys);
    FlatMap<TypeParam> map(random() | 1);
    std::map<TypeParam, uint32_t> model;
    for (int round = 0; round < 30'000; ++round) {
      const TypeParam key = nth_key<TypeParam>(random() % keys);
      const auto at = model.find(key);
      ASSERT_EQ(map.find(key), at == model.end() ? map.kNone : at->second);
      if (at != model.end() && random() % 2 == 0) {
        map.erase(key);
        model.erase(at);
      } else {
        const auto value = static_cast<uint32_t>(random() % 1000);
        map.set(key, value);
        model[key] = value;
      }
      if (round % 100 != 0) continue;
      for (uint32_t n = 0; n < keys; ++n) {
        const auto found = model.find(nth_key<TypeParam>(n));
        ASSERT_EQ(map.find(nth_key<TypeParam>(n)),
                  found == model.end() ? map.kNone : found->second);
      }
    }
  }
}

TYPED_TEST(FlatMaps, WithinWhatIsReservedNothingIsAllocated) {
  for (const size_t keys : {1u, 2u, 3u, 64u, 1000u}) {
    std::vector<std::byte> room(FlatMap<TypeParam>::bytes(keys) + 64);
    std::pmr::monotonic_buffer_resource memory(room.data(), room.size(),
                                               std::pmr::null_memory_resource());
    FlatMap<TypeParam> map(0x9e3779b97f4a7c15, keys, &memory);
    for (uint32_t i = 0; i < 5 * keys; ++i) {
      if (i >= keys) map.erase(nth_key<TypeParam>(i - keys));
      map.set(nth_key<TypeParam>(i), i);
    }
    for (uint32_t i = 0; i < keys; ++i) {
      EXPECT_EQ(map.find(nth_key<TypeParam>(4 * keys + i)), 4 * keys + i);
    }
  }
}

}  // namespace
}  // namespace sluice
