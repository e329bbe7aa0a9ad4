// SPDX-License-Identifier: BSD-3-Clause
// The neighbour table: look-up under probing chains, queues' bounds, generations.
#include "dataplane/state/neighbours.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sluice {
namespace {

net::Ipv4Address address(uint32_t host) {
  return net::be32::from_host(host);
}

struct Table : Neighbours {
  explicit Table(uint32_t capacity) : Neighbours(capacity, 0, std::pmr::get_default_resource()) {}
};

TEST(Neighbours, FindsByAddressAndInterface) {
  Table table(4);
  const uint32_t a = table.create(address(1), 0), b = table.create(address(1), 1);
  EXPECT_NE(a, b);
  EXPECT_EQ(table.find(address(1), 0), a);
  EXPECT_EQ(table.find(address(1), 1), b);
  EXPECT_EQ(table.find(address(1), 2), Neighbours::kNone);
  EXPECT_EQ(table.find(address(2), 0), Neighbours::kNone);
  EXPECT_EQ(table[a].state, Neighbour::State::kResolving);
}

TEST(Neighbours, FullTableRefusesAndFindsAll) {
  for (const uint32_t capacity : {1u, 2u, 3u, 64u, 1000u}) {
    Table table(capacity);
    for (uint32_t i = 0; i < capacity; ++i)
      ASSERT_NE(table.create(address(i + 1), 0), Neighbours::kNone);
    EXPECT_EQ(table.create(address(capacity + 1), 0), Neighbours::kNone);
    EXPECT_EQ(table.count(), capacity);
    EXPECT_EQ(table.find(address(capacity + 1), 0), Neighbours::kNone)
        << "ends though the table is full";
    for (uint32_t i = 0; i < capacity; ++i)
      EXPECT_NE(table.find(address(i + 1), 0), Neighbours::kNone);
  }
}

// Small and crowded, so that probing chains meet, close and wrap round.
TEST(Neighbours, AgainstAMap) {
  for (const uint32_t capacity : {2u, 4u, 16u, 100u}) {
    std::mt19937 random(capacity);
    Table table(capacity);
    std::map<std::pair<uint32_t, uint16_t>, uint32_t> model;
    for (int round = 0; round < 50'000; ++round) {
      const std::pair<uint32_t, uint16_t> key{1 + random() % (2 * capacity), random() % 2};
      const auto at = model.find(key);
      ASSERT_EQ(table.find(address(key.first), key.second),
                at == model.end() ? Neighbours::kNone : at->second);
      if (at != model.end()) {
        table.remove(at->second);
        model.erase(at);
      } else {
        const uint32_t index = table.create(address(key.first), key.second);
        ASSERT_EQ(index == Neighbours::kNone, model.size() == capacity);
        if (index != Neighbours::kNone) model[key] = index;
      }
      ASSERT_EQ(table.count(), model.size());
      if (round % 100 != 0) continue;
      for (const auto& [k, index] : model) ASSERT_EQ(table.find(address(k.first), k.second), index);
    }
  }
}

TEST(Neighbours, GenerationsTellOldReferencesFromNew) {
  Table table(1);
  const uint32_t index = table.create(address(1), 0);
  const uint32_t first = table.generation(index);
  table.remove(index);
  EXPECT_NE(table.generation(index), first) << "removed";
  ASSERT_EQ(table.create(address(2), 0), index);
  EXPECT_NE(table.generation(index), first) << "given to another";
  const uint32_t second = table.generation(index);
  table[index].header.destination = {{2, 0, 0, 0, 0, 7}};
  table.new_generations();
  EXPECT_NE(table.generation(index), second);
  EXPECT_EQ(table.find(address(2), 0), index);
  EXPECT_EQ(table[index].mac().bytes[5], 7) << "the MAC stays";
}

TEST(Neighbours, RemovingCancelsTheTimer) {
  Table table(1);
  const uint32_t index = table.create(address(1), 0);
  table.timers().set(index, 100);
  table.remove(index);
  EXPECT_FALSE(table.timers().is_set(index));
}

TEST(Neighbours, QueueIsFirstInFirstOutAndBounded) {
  Table table(2);
  const uint32_t index = table.create(address(1), 0);
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

TEST(Neighbours, AllQueuesTogetherAreBounded) {
  const uint32_t neighbours = Neighbours::kWaitingMax / Neighbours::kWaitingPerNeighbour + 1;
  Table table(neighbours);
  int packet;
  uint32_t waiting = 0;
  for (uint32_t i = 0; i < neighbours; ++i) {
    const uint32_t index = table.create(address(i + 1), 0);
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

TEST(Neighbours, QueuesInterleave) {
  std::mt19937 random(14);
  Table table(3);
  std::map<uint32_t, std::vector<void*>> model;
  for (uint32_t i = 0; i < 3; ++i) model[table.create(address(i + 1), 0)];
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

}  // namespace
}  // namespace sluice
