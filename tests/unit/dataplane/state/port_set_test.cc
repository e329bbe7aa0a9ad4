// SPDX-License-Identifier: BSD-3-Clause
// Sets of ports, and ranges shared out among workers.
#include "dataplane/state/port_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/sanitized.h"

namespace sluice {
namespace {

constexpr net::Random kSetOrder({5, 6});

void expect_numbered(const PortSet& set, const std::vector<uint16_t>& ports) {
  ASSERT_EQ(set.size(), ports.size());
  std::vector<uint16_t> wanted(65536, PortSet::kNone), numbered;
  for (uint32_t i = 0; i < set.size(); ++i) {
    const uint16_t port = set.port_at(static_cast<uint16_t>(i));
    wanted[port] = static_cast<uint16_t>(i);
    numbered.push_back(port);
  }
  std::ranges::sort(numbered);
  ASSERT_EQ(numbered, ports);
  for (uint32_t port = 0; port < 65536; ++port) {
    ASSERT_EQ(set.find(static_cast<uint16_t>(port)), wanted[port]) << port;
  }
}

TEST(PortSet, NumbersAnySubset) {
  expect_numbered(PortSet({}, kSetOrder), {});
  for (const std::vector<uint16_t>& ports :
       {std::vector<uint16_t>{1}, {65535}, {63, 64, 65}, {1, 63, 64, 127, 128, 65472, 65535}}) {
    expect_numbered(PortSet(ports, kSetOrder), ports);
  }
  std::mt19937 random(7);
  for (const uint32_t one_in : {2u, 3u, 16u, 1000u}) {
    std::vector<uint16_t> ports;
    for (uint32_t port = 1; port < 65536; ++port) {
      if (random() % one_in == 0) ports.push_back(static_cast<uint16_t>(port));
    }
    expect_numbered(PortSet(ports, kSetOrder), ports);
  }
}

TEST(PortSet, HoldsAllOfARange) {
  for (const PortRange range : {PortRange{1, 1}, {65535, 65535}, {1024, 65535}, {1, 65535}}) {
    const auto set = make_port_set(range, kSetOrder);
    ASSERT_EQ(set->size(), range.size());
    EXPECT_NE(set->find(range.first), PortSet::kNone);
    EXPECT_NE(set->find(range.last), PortSet::kNone);
    EXPECT_EQ(set->find(static_cast<uint16_t>(range.first - 1)), PortSet::kNone);
  }
}

TEST(PortSet, OrderIsOfItsKey) {
  const auto order = [](uint64_t key) {
    const auto set = make_port_set({1024, 65535}, net::Random({key, 0}));
    std::vector<uint16_t> ports;
    for (uint32_t i = 0; i < set->size(); ++i)
      ports.push_back(set->port_at(static_cast<uint16_t>(i)));
    return ports;
  };
  EXPECT_EQ(order(1), order(1));
  EXPECT_NE(order(1), order(2));
  EXPECT_FALSE(std::ranges::is_sorted(order(1)));
}

TEST(PortShares, DealsEveryPortToOneWorker) {
  for (const PortRange range : {PortRange{2000, 2015}, {1024, 65535}, {1, 65535}, {9, 9}}) {
    for (uint32_t workers = 1; workers <= 17; workers += test::kSanitized ? 8 : 1) {
      const auto shares = deal_ports(range, workers, kSetOrder);
      ASSERT_EQ(shares->worker_count(), workers);
      uint32_t total = 0;
      for (uint32_t worker = 0; worker < workers; ++worker) {
        const uint32_t size = shares->set(worker)->size();
        EXPECT_LE(size, range.size() / workers + 1);
        EXPECT_GE(size, range.size() / workers);
        total += size;
      }
      EXPECT_EQ(total, range.size());
      for (uint32_t port = 0; port < 65536; ++port) {
        const auto p = static_cast<uint16_t>(port);
        const uint8_t owner = shares->owner_of(p);
        ASSERT_EQ(owner != PortShares::kNobody, range.contains(p));
        for (uint32_t worker = 0; worker < workers; ++worker) {
          ASSERT_EQ(shares->set(worker)->find(p) != PortSet::kNone, worker == owner);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice
