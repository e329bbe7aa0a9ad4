// SPDX-License-Identifier: BSD-3-Clause
// The neighbour table: look-up under probing chains, queues' bounds, generations.
#include "dataplane/state/neighbours.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

namespace sluice {
namespace {

template <class Address>
Address address(uint32_t host);
template <>
net::Ipv4Address address(uint32_t host) {
  return net::be32::from_host(host);
}
template <>
net::Ipv6Address address(uint32_t host) {
  net::Ipv6Address ip{{0xfd}};
  const net::be32 last = net::be32::from_host(host);
  std::memcpy(&ip.bytes[12], &last, sizeof last);
  return ip;
}

template <class Address>
struct TableOf : NeighboursOf<Address> {
  using Base = NeighboursOf<Address>;
  using typename Base::Share;

  explicit TableOf(uint32_t capacity) : Base(capacity, 0, std::pmr::get_default_resource()) {}
  using Base::create;
  using Base::find;
  uint32_t create(uint32_t host, uint16_t interface = 0) {
    return create(address<Address>(host), interface, Share::kConfigured, 0);
  }
  uint32_t find(uint32_t host, uint16_t interface = 0) const {
    return find(address<Address>(host), interface);
  }
  /// As NextHops does: whoever has to make way goes first.
  uint32_t add(uint32_t host, Share share, bool has_mac, uint64_t now_ms, uint16_t interface = 0) {
    const uint32_t victim = this->victim_for_new(share, has_mac, interface);
    if (victim != Base::kNone) this->remove(victim);
    const uint32_t index = create(address<Address>(host), interface, share, now_ms);
    if (index == Base::kNone || !has_mac) return index;
    (*this)[index].state = Neighbour::State::kReachable;
    (*this)[index].used_ms = now_ms;
    this->assign(index, share, now_ms);
    return index;
  }
  bool knows(uint32_t host, uint16_t interface = 0) const {
    return find(host, interface) != Base::kNone;
  }
};

template <class Address>
class NeighbourTables : public testing::Test {};
template <class Address>
class NeighbourShares : public testing::Test {};
using Families = testing::Types<net::Ipv4Address, net::Ipv6Address>;
TYPED_TEST_SUITE(NeighbourTables, Families);
TYPED_TEST_SUITE(NeighbourShares, Families);

TYPED_TEST(NeighbourTables, FindsByAddressAndInterface) {
  TableOf<TypeParam> table(4);
  const uint32_t a = table.create(1, 0), b = table.create(1, 1);
  EXPECT_NE(a, b);
  EXPECT_EQ(table.find(1, 0), a);
  EXPECT_EQ(table.find(1, 1), b);
  EXPECT_EQ(table.find(1, 2), Neighbours::kNone);
  EXPECT_EQ(table.find(2, 0), Neighbours::kNone);
  EXPECT_EQ(table[a].state, Neighbour::State::kResolving);
}

TYPED_TEST(NeighbourTables, FullTableRefusesAndFindsAll) {
  for (const uint32_t capacity : {1u, 2u, 3u, 64u, 1000u}) {
    TableOf<TypeParam> table(capacity);
    for (uint32_t i = 0; i < capacity; ++i) ASSERT_NE(table.create(i + 1, 0), Neighbours::kNone);
    EXPECT_EQ(table.create(capacity + 1, 0), Neighbours::kNone);
    EXPECT_EQ(table.count(), capacity);
    EXPECT_EQ(table.find(capacity + 1, 0), Neighbours::kNone) << "ends though the table is full";
    for (uint32_t i = 0; i < capacity; ++i) EXPECT_NE(table.find(i + 1, 0), Neighbours::kNone);
  }
}

// Small and crowded, so that probing chains meet, close and wrap round.
TYPED_TEST(NeighbourTables, AgainstAMap) {
  for (const uint32_t capacity : {2u, 4u, 16u, 100u}) {
    std::mt19937 random(capacity);
    TableOf<TypeParam> table(capacity);
    std::map<std::pair<uint32_t, uint16_t>, uint32_t> model;
    for (int round = 0; round < 50'000; ++round) {
      const std::pair<uint32_t, uint16_t> key{1 + random() % (2 * capacity), random() % 2};
      const auto at = model.find(key);
      ASSERT_EQ(table.find(key.first, key.second),
                at == model.end() ? Neighbours::kNone : at->second);
      if (at != model.end()) {
        table.remove(at->second);
        model.erase(at);
      } else {
        const uint32_t index = table.create(key.first, key.second);
        ASSERT_EQ(index == Neighbours::kNone, model.size() == capacity);
        if (index != Neighbours::kNone) model[key] = index;
      }
      ASSERT_EQ(table.count(), model.size());
      if (round % 100 != 0) continue;
      for (const auto& [k, index] : model) ASSERT_EQ(table.find(k.first, k.second), index);
    }
  }
}

TYPED_TEST(NeighbourTables, GenerationsTellOldReferencesFromNew) {
  TableOf<TypeParam> table(1);
  const uint32_t index = table.create(1, 0);
  const uint32_t first = table.generation(index);
  table.remove(index);
  EXPECT_NE(table.generation(index), first) << "removed";
  ASSERT_EQ(table.create(2, 0), index);
  EXPECT_NE(table.generation(index), first) << "given to another";
  const uint32_t second = table.generation(index);
  table[index].header.destination = {{2, 0, 0, 0, 0, 7}};
  table.new_generations();
  EXPECT_NE(table.generation(index), second);
  EXPECT_EQ(table.find(2, 0), index);
  EXPECT_EQ(table[index].mac().bytes[5], 7) << "the MAC stays";
}

TYPED_TEST(NeighbourTables, RemovingCancelsTheTimer) {
  TableOf<TypeParam> table(1);
  const uint32_t index = table.create(1, 0);
  table.timers().set(index, 100);
  table.remove(index);
  EXPECT_FALSE(table.timers().is_set(index));
}

TYPED_TEST(NeighbourTables, QueueIsFirstInFirstOutAndBounded) {
  TableOf<TypeParam> table(2);
  const uint32_t index = table.create(1, 0);
  int packets[Neighbours::kWaitingPerNeighbour + 1];
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < Neighbours::kWaitingPerNeighbour; ++i)
      EXPECT_TRUE(table.wait(index, &packets[i]));
    EXPECT_FALSE(table.wait(index, &packets[Neighbours::kWaitingPerNeighbour]));
    for (int i = 0; i < Neighbours::kWaitingPerNeighbour; ++i)
      EXPECT_EQ(table.next_waiting(index), &packets[i]);
    EXPECT_EQ(table.next_waiting(index), nullptr);
  }
}

TYPED_TEST(NeighbourTables, AllQueuesTogetherAreBounded) {
  const uint32_t neighbours = Neighbours::kWaitingMax / Neighbours::kWaitingPerNeighbour + 1;
  TableOf<TypeParam> table(neighbours);
  int packet;
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < neighbours; ++i) {
    const uint32_t index = table.create(i + 1, 0);
    while (table.wait(index, &packet)) ++waiting;
  }
  EXPECT_EQ(waiting, Neighbours::kWaitingMax);
  uint32_t drained = 0;
  for (uint32_t i = 0; i < neighbours; ++i) {
    while (table.next_waiting(i) != nullptr) ++drained;
  }
  EXPECT_EQ(drained, Neighbours::kWaitingMax);
  EXPECT_TRUE(table.wait(0, &packet)) << "places come back";
}

TYPED_TEST(NeighbourTables, QueuesInterleave) {
  std::mt19937 random(14);
  TableOf<TypeParam> table(3);
  std::map<uint32_t, std::vector<void*>> model;
  for (uint32_t i = 0; i < 3; ++i) model[table.create(i + 1, 0)];
  for (uintptr_t round = 1; round < 20'000; ++round) {
    const uint32_t index = random() % 3;
    auto& queue = model[index];
    if (random() % 2 == 0) {
      void* packet = reinterpret_cast<void*>(round);
      const bool room = queue.size() < Neighbours::kWaitingPerNeighbour;
      ASSERT_EQ(table.wait(index, packet), room);
      if (room) queue.push_back(packet);
    } else {
      ASSERT_EQ(table.next_waiting(index), queue.empty() ? nullptr : queue.front());
      if (!queue.empty()) queue.erase(queue.begin());
    }
  }
}

using Share = Neighbour::Share;

TYPED_TEST(NeighbourShares, StrangersTakeNobodyElsesPlace) {
  TableOf<TypeParam> table(64);
  for (uint32_t i = 0; i < 20; ++i) table.add(1 + i, Share::kConfigured, true, 0);
  for (uint32_t i = 0; i < 28; ++i) table.add(100 + i, Share::kFlows, true, 0);
  for (uint32_t i = 0; i < 20'000; ++i) {
    ASSERT_NE(table.add(1000 + i, Share::kStrangers, i % 2 == 0, i, i % 3), Neighbours::kNone);
    ASSERT_LE(table.count(Share::kStrangers), 16u);
  }
  for (uint32_t i = 0; i < 20; ++i) EXPECT_TRUE(table.knows(1 + i));
  for (uint32_t i = 0; i < 28; ++i) EXPECT_TRUE(table.knows(100 + i));
}

TYPED_TEST(NeighbourShares, FlowsAndConfiguredOnesTakeTheStrangersPlaces) {
  TableOf<TypeParam> table(64);
  for (uint32_t i = 0; i < 100; ++i) table.add(1000 + i, Share::kStrangers, true, i);
  EXPECT_EQ(table.count(Share::kStrangers), 16u);
  for (uint32_t i = 0; i < 64; ++i) table.add(100 + i, Share::kFlows, true, 200);
  EXPECT_EQ(table.count(Share::kStrangers), 0u);
  EXPECT_EQ(table.count(Share::kFlows), 64u);
  for (uint32_t i = 0; i < 64; ++i) {
    ASSERT_NE(table.add(1 + i, Share::kConfigured, true, 300), Neighbours::kNone);
  }
  EXPECT_EQ(table.count(Share::kConfigured), 64u);
  EXPECT_EQ(table.add(5000, Share::kConfigured, true, 300), Neighbours::kNone);
  EXPECT_EQ(table.add(5000, Share::kStrangers, true, 300), Neighbours::kNone);
}

TYPED_TEST(NeighbourShares, TheLeastRecentlyUsedMakesWay) {
  TableOf<TypeParam> table(64);
  for (uint32_t i = 0; i < 16; ++i) table.add(1 + i, Share::kStrangers, true, 10);
  for (const uint32_t host : {1u, 3u, 9u}) table[table.find(host, 0)].used_ms = 20;
  for (uint32_t i = 0; i < 13; ++i) table.add(100 + i, Share::kStrangers, true, 30);
  for (uint32_t i = 0; i < 16; ++i) {
    EXPECT_EQ(table.knows(1 + i), i == 0 || i == 2 || i == 8) << 1 + i;
  }
}

TYPED_TEST(NeighbourShares, WhoAFlowHasUsedIsAStrangerNoMore) {
  TableOf<TypeParam> table(64);
  const uint32_t index = table.add(1, Share::kStrangers, true, 10);
  table[index].flow_used_ms = 11;
  for (uint32_t i = 0; i < 1000; ++i) table.add(100 + i, Share::kStrangers, true, 30 + i);
  EXPECT_TRUE(table.knows(1));
  EXPECT_EQ(table[index].share, Share::kFlows);
}

TYPED_TEST(NeighbourShares, UnansweredOnesAreBoundedByInterface) {
  TableOf<TypeParam> table(1024);
  for (uint32_t i = 0; i < 5000; ++i) table.add(100 + i, Share::kStrangers, false, i, 1);
  EXPECT_EQ(table.unanswered(1), 64u);
  table.add(1, Share::kStrangers, false, 6000, 2);
  EXPECT_EQ(table.unanswered(2), 1u);
  EXPECT_EQ(table.unanswered(1), 64u);
  EXPECT_TRUE(table.knows(5099, 1)) << "the newest stay";
}

TYPED_TEST(NeighbourShares, PacketsForStrangersWaitInHalfOfThePlaces) {
  TableOf<TypeParam> table(1024);
  int packet;
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < 200; ++i) {
    const uint32_t index = table.create(address<TypeParam>(1 + i), 0, Share::kStrangers, 0);
    uint32_t own = 0;
    while (table.wait(index, &packet)) ++own;
    EXPECT_LE(own, Neighbours::kWaitingPerStranger);
    waiting += own;
  }
  EXPECT_EQ(waiting, Neighbours::kWaitingMax / 2);
  const uint32_t backend = table.create(5000, 0);
  EXPECT_TRUE(table.wait(backend, &packet));
}

}  // namespace
}  // namespace sluice
