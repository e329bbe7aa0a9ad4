// SPDX-License-Identifier: BSD-3-Clause
// Slots for SYNs: kept whole, bounded, given back.
#include "dataplane/state/syn_store.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace sluice {
namespace {

std::pmr::memory_resource* memory() {
  return std::pmr::get_default_resource();
}

TEST(SynStore, KeepsEveryLengthOfHeaders) {
  SynStore store(4, memory());
  std::vector<uint8_t> headers(SynStore::kBytesMax + 1);
  std::iota(headers.begin(), headers.end(), uint8_t{1});
  for (size_t length = 40; length <= SynStore::kBytesMax; length += 4) {
    const uint32_t slot =
        store.keep({headers.data(), 20}, {headers.data() + 20, length - 20}, length);
    ASSERT_NE(slot, SynStore::kNone);
    const auto kept = store.at(slot);
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), headers.begin(),
                           headers.begin() + static_cast<ptrdiff_t>(length)));
    EXPECT_EQ(kept.size(), length);
    store.release(slot);
  }
  EXPECT_EQ(store.keep(headers, {}, 0), SynStore::kNone) << "more than headers can be";
  EXPECT_EQ(store.free_count(), 4u);
}

TEST(SynStore, FullRefusesAndSlotsComeBack) {
  SynStore store(3, memory());
  const uint8_t headers[40] = {};
  std::set<uint32_t> slots;
  for (int i = 0; i < 3; ++i) slots.insert(store.keep(headers, {}, 0));
  EXPECT_EQ(slots.size(), 3u);
  EXPECT_FALSE(slots.contains(SynStore::kNone));
  EXPECT_EQ(store.keep(headers, {}, 0), SynStore::kNone);
  store.release(SynStore::kNone);  // fine
  EXPECT_EQ(store.keep(headers, {}, 0), SynStore::kNone);
  store.release(1);
  EXPECT_EQ(store.keep(headers, {}, 0), 1u);
}

TEST(SynStore, WithoutSlotsKeepsNothing) {
  SynStore store(0, memory());
  const uint8_t headers[40] = {};
  EXPECT_EQ(store.keep(headers, {}, 0), SynStore::kNone);
}

}  // namespace
}  // namespace sluice
