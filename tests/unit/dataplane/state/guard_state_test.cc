// SPDX-License-Identifier: BSD-3-Clause
// What guards count with: a sliding second, keys of clients, sources that are refused most.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "dataplane/state/client_key.h"
#include "dataplane/state/rate_window.h"
#include "dataplane/state/refused_sources.h"

namespace sluice {
namespace {

net::Ipv4Address ip_of(uint32_t number) {
  return net::Ipv4Address::from_host(number);
}

TEST(RateWindow, ASecondSlides) {
  RateWindow window;
  EXPECT_EQ(window.in_last_second(5'000), 0u);
  for (int i = 0; i < 10; ++i) window.add(5'900);
  EXPECT_EQ(window.in_last_second(5'900), 10u);
  EXPECT_EQ(window.in_last_second(6'000), 10u) << "all of it within a second";
  EXPECT_EQ(window.in_last_second(6'500), 5u);
  window.add(6'500);
  EXPECT_EQ(window.in_last_second(6'900), 2u);
  EXPECT_EQ(window.in_last_second(7'000), 1u);
  EXPECT_EQ(window.in_last_second(8'000), 0u);
  window.add(100'000'000);
  EXPECT_EQ(window.in_last_second(100'000'001), 1u) << "a long silence leaves nothing";
}

TEST(RateWindow, OneASecondIsOneASecond) {
  RateWindow window;
  uint32_t taken = 0;
  for (uint64_t ms = 10'000; ms < 20'000; ms += 7) {
    if (window.in_last_second(ms) >= 1) continue;
    window.add(ms);
    ++taken;
  }
  EXPECT_NEAR(taken, 10, 1);
}

TEST(ClientKey, KeepsThePrefixOfItsFamily) {
  const auto key = [](const AddressKey& ip) { return make_client_key(ip, 24, 64, 7); };
  EXPECT_EQ(key(address_key(ip_of(0x0a010203))), key(address_key(ip_of(0x0a0102ff))));
  EXPECT_NE(key(address_key(ip_of(0x0a010203))), key(address_key(ip_of(0x0a010303))));
  net::Ipv6Address one{}, other{}, far{};
  one.bytes = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9};
  other.bytes = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 8, 8, 8, 8, 8, 8, 8, 8};
  far.bytes = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9};
  EXPECT_EQ(key(one), key(other));
  EXPECT_NE(key(one), key(far));
  EXPECT_EQ(make_client_key(one, 32, 128, 7).ip, one);
  EXPECT_EQ(kept_bits(one, 3).bytes[0], 0x20);
  EXPECT_EQ(kept_bits(one, 0), AddressKey{});
}

TEST(RefusedSources, TheMostRefusedAreThere) {
  RefusedSources sources(12345);
  std::mt19937 random(1);
  std::map<uint32_t, uint64_t> counts;
  for (int i = 0; i < 200'000; ++i) {
    // Three heavy ones among a flood of others.
    const uint32_t who = i % 10 < 3 ? 1 + static_cast<uint32_t>(i) % 10 : 1000 + random() % 100'000;
    ++counts[who];
    sources.note(address_key(ip_of(who)), static_cast<uint32_t>(i / 100));
  }
  std::map<uint32_t, RefusedSources::Source> found;
  for (uint32_t cell = 0; cell < RefusedSources::kCells; ++cell) {
    if (const auto source = sources.read(cell)) {
      const auto& b = source->ip.bytes;
      found[static_cast<uint32_t>(b[12] << 24 | b[13] << 16 | b[14] << 8 | b[15])] = *source;
    }
  }
  for (const uint32_t heavy : {1u, 2u, 3u}) {
    ASSERT_TRUE(found.contains(heavy)) << heavy;
    EXPECT_GE(found[heavy].count, counts[heavy]);
    EXPECT_LE(found[heavy].count - found[heavy].error, counts[heavy]);
  }
}

TEST(RefusedSources, WhoIsQuietMakesWayFirst) {
  RefusedSources sources(12345);
  for (uint32_t i = 0; i < 1000; ++i) sources.note(address_key(ip_of(7)), 0);
  const uint32_t later = RefusedSources::kQuietMs + 1;
  for (uint32_t who = 100; who < 3000; ++who) sources.note(address_key(ip_of(who)), later);
  for (uint32_t cell = 0; cell < RefusedSources::kCells; ++cell) {
    const auto source = sources.read(cell);
    ASSERT_TRUE(source);
    EXPECT_NE(source->ip, address_key(ip_of(7)));
    EXPECT_LT(source->error, 1000u);
  }
}

}  // namespace
}  // namespace sluice
