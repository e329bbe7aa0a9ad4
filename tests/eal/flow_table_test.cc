// SPDX-License-Identifier: BSD-3-Clause
// The flow table on a real rte_hash.
#include "dataplane/state/flow_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <stdexcept>
#include <string>

#include "tests/unit/net/frame_builder.h"

namespace sluice {
namespace {

using test::endpoint;

const net::Endpoint kVip = endpoint(test::ip4(10, 3, 0, 1), 80);
const net::Endpoint kBackend = endpoint(test::ip4(10, 2, 0, 10), 8080);

net::Endpoint client_of(uint32_t n) {
  return {net::be32::from_host(0x0a010000 + n / 1000),
          net::be16::from_host(static_cast<uint16_t>(1024 + n % 1000))};
}
net::Endpoint local_of(uint32_t n) {
  return {net::be32::from_host(0x0a020001 + n / 60'000),
          net::be16::from_host(static_cast<uint16_t>(1024 + n % 60'000))};
}

struct Table : FlowTable {
  explicit Table(uint32_t size, uint32_t seed = 1)
      : FlowTable(unique_name().c_str(), size, seed, SOCKET_ID_ANY,
                  std::pmr::get_default_resource()) {}
  static constexpr int SOCKET_ID_ANY = -1;
  static std::string unique_name() {
    static int number = 0;
    return "table-" + std::to_string(number++);
  }
  uint32_t add(uint32_t n) {
    const uint32_t index = allocate();
    if (index == kNone) return kNone;
    (*this)[index].set_translations(client_of(n), kVip, local_of(n), kBackend);
    EXPECT_TRUE(publish(index)) << n;
    return index;
  }
};

FlowKey inbound_key(uint32_t n) {
  return {client_of(n), kVip};
}
FlowKey outbound_key(uint32_t n) {
  return {kBackend, local_of(n)};
}

void expect_found(const FlowTable& table, uint32_t n, uint32_t index) {
  const FlowHit in = table.lookup(inbound_key(n)), out = table.lookup(outbound_key(n));
  ASSERT_EQ(in.index, index);
  ASSERT_EQ(out.index, index);
  ASSERT_EQ(in.direction, Direction::kInbound);
  ASSERT_EQ(out.direction, Direction::kOutbound);
}

TEST(FlowTable, FillsToTheVeryLastEntryWithAnySeed) {
  std::mt19937 random(18);
  for (const uint32_t size : {4u, 5u, 64u, 1000u, 4096u, 65536u}) {
    for (int turn = 0; turn < (size > 5000 ? 1 : 4); ++turn) {
      Table table(size, static_cast<uint32_t>(random()));
      for (uint32_t n = 0; n < size; ++n)
        ASSERT_NE(table.add(n), FlowTable::kNone) << n << " of " << size;
      EXPECT_EQ(table.flow_count(), size);
      EXPECT_EQ(table.allocate(), FlowTable::kNone);
      for (uint32_t n = 0; n < size; ++n) {
        expect_found(table, n, table.lookup(inbound_key(n)).index);
        if (HasFatalFailure()) return;
      }
      EXPECT_EQ(table.lookup(inbound_key(size)).index, FlowTable::kNone);
      for (uint32_t n = 0; n < size; ++n) table.erase(table.lookup(inbound_key(n)).index);
      EXPECT_EQ(table.flow_count(), 0u);
      for (uint32_t n = 0; n < size; ++n)
        ASSERT_NE(table.add(n + size), FlowTable::kNone) << "full once more";
    }
  }
}

TEST(FlowTable, AllocatedEntriesAreZero) {
  Table table(4);
  const uint32_t index = table.add(1);
  table[index].shift = {1, 2};
  table[index].heal_attempts = 3;
  table.push_over(index);
  table.erase(index);
  EXPECT_FALSE(table.is_live(index));
  const uint32_t again = table.allocate();
  ASSERT_EQ(again, index);
  EXPECT_FALSE(table[again].shift.any());
  EXPECT_EQ(table[again].heal_attempts, 0);
  EXPECT_FALSE(table[again].over_listed);
}

TEST(FlowTable, RefusalsOfTheMemoryAreSaid) {
  std::pmr::memory_resource* memory = std::pmr::get_default_resource();
  FlowTable first("same-name", 64, 1, -1, memory);
  EXPECT_THROW(FlowTable("same-name", 64, 1, -1, memory), std::runtime_error);
  EXPECT_THROW(FlowTable("too-small", 1, 1, -1, memory), std::runtime_error)
      << "rte_hash wants eight keys";
}

TEST(FlowTable, BulkIsManySingles) {
  std::mt19937 random(19);
  Table table(512);
  for (uint32_t n = 0; n < 400; ++n) table.add(n);
  for (int round = 0; round < 2000; ++round) {
    const uint32_t count = random() % (FlowTable::kBulkMax + 1);
    std::vector<FlowKey> keys(count);
    std::vector<const FlowKey*> wanted(count);
    std::vector<FlowHit> hits(count);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t n = random() % 600;
      keys[i] = random() % 2 == 0 ? inbound_key(n) : outbound_key(n);
      wanted[i] = &keys[i];
    }
    table.lookup({wanted.data(), count}, hits.data());
    for (uint32_t i = 0; i < count; ++i) {
      const FlowHit single = table.lookup(keys[i]);
      ASSERT_EQ(hits[i].index, single.index);
      if (single.index != FlowTable::kNone) {
        ASSERT_EQ(hits[i].direction, single.direction);
      }
    }
  }
}

TEST(FlowTable, MovingChangesTheLocalSideAlone) {
  Table table(8);
  const uint32_t index = table.add(1);
  ASSERT_TRUE(table.move(index, local_of(77)));
  EXPECT_EQ(table.lookup(outbound_key(1)).index, FlowTable::kNone);
  EXPECT_EQ(table.lookup(outbound_key(77)).index, index);
  EXPECT_EQ(table.lookup(inbound_key(1)).index, index);
  EXPECT_EQ(table[index].local(), local_of(77));
  EXPECT_EQ(table[index].client(), client_of(1));
  // Both deltas are of the new tuple.
  Flow expected{};
  expected.set_translations(client_of(1), kVip, local_of(77), kBackend);
  EXPECT_EQ(table[index].inbound.tcp_delta, expected.inbound.tcp_delta);
  EXPECT_EQ(table[index].outbound.tcp_delta, expected.outbound.tcp_delta);
  EXPECT_EQ(table[index].outbound.ip_delta, expected.outbound.ip_delta);
  table.erase(index);
  EXPECT_EQ(table.lookup(outbound_key(77)).index, FlowTable::kNone);
  EXPECT_EQ(table.lookup(inbound_key(1)).index, FlowTable::kNone);
}

TEST(FlowTable, OverListIsByAgeWhoeverLeavesIt) {
  for (const uint32_t leaves : {0u, 1u, 2u, 3u}) {
    Table table(8);
    uint32_t index[4];
    for (uint32_t n = 0; n < 4; ++n) index[n] = table.add(n);
    EXPECT_EQ(table.oldest_over(), FlowTable::kNone);
    for (const uint32_t i : index) table.push_over(i);
    table.erase(index[leaves]);
    for (uint32_t n = 0; n < 4; ++n) {
      if (n == leaves) continue;
      ASSERT_EQ(table.oldest_over(), index[n]);
      table.erase(index[n]);
    }
    EXPECT_EQ(table.oldest_over(), FlowTable::kNone);
    table.push_over(table.add(9));
    EXPECT_NE(table.oldest_over(), FlowTable::kNone) << "usable when it was empty";
  }
}

TEST(FlowTable, AgainstAMap) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    std::mt19937 random(seed);
    Table table(200, static_cast<uint32_t>(random()));
    std::map<uint32_t, uint32_t> index_of, local_number;  // by client number
    uint32_t next_local = 1000;
    for (int round = 0; round < 50'000; ++round) {
      const uint32_t n = random() % 400;
      const auto at = index_of.find(n);
      if (at == index_of.end()) {
        const uint32_t index = table.allocate();
        ASSERT_EQ(index == FlowTable::kNone, index_of.size() == 200);
        if (index == FlowTable::kNone) continue;
        table[index].set_translations(client_of(n), kVip, local_of(next_local), kBackend);
        ASSERT_TRUE(table.publish(index));
        index_of[n] = index;
        local_number[n] = next_local++;
      } else if (random() % 3 == 0) {
        ASSERT_TRUE(table.move(at->second, local_of(next_local)))
            << "round " << round << ", " << index_of.size() << " flows";
        local_number[n] = next_local++;
      } else {
        if (random() % 2 == 0) table.push_over(at->second);
        table.erase(at->second);
        ASSERT_EQ(table.lookup(outbound_key(local_number[n])).index, FlowTable::kNone);
        index_of.erase(at);
      }
      ASSERT_EQ(table.flow_count(), index_of.size());
      const uint32_t probe = random() % 400;
      const auto found = index_of.find(probe);
      ASSERT_EQ(table.lookup(inbound_key(probe)).index,
                found == index_of.end() ? FlowTable::kNone : found->second);
      if (found != index_of.end()) {
        ASSERT_EQ(table.lookup(outbound_key(local_number[probe])).index, found->second);
        ASSERT_TRUE(table.is_live(found->second));
      }
    }
  }
}

}  // namespace
}  // namespace sluice
