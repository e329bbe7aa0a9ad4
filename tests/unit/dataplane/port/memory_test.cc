// SPDX-License-Identifier: BSD-3-Clause
// NodePages and PoolMemory.
#include "dataplane/port/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

namespace sluice {
namespace {

struct Block {
  std::span<uint8_t> bytes;
  uint8_t mark;

  Block(std::pmr::memory_resource& memory, size_t size, uint8_t with)
      : bytes(static_cast<uint8_t*>(memory.allocate(size)), size), mark(with) {
    std::memset(bytes.data(), with, size);
  }
  bool untouched() const {
    return std::ranges::all_of(bytes, [this](uint8_t byte) { return byte == mark; });
  }
  void give_back(std::pmr::memory_resource& memory) {
    memory.deallocate(bytes.data(), bytes.size());
  }
};

TEST(NodePages, BeginWhereAHugepageDoes) {
  constexpr uintptr_t kHugePage = 2 << 20;
  for (const int node : {-1, 0, 63, 64, 1000}) {  // nodes that there are not are only a wish, too
    NodePages pages(node);
    std::vector<Block> blocks;
    for (const size_t size : {size_t{1}, size_t{4096}, size_t{5000}, size_t{6} << 20}) {
      blocks.emplace_back(pages, size, static_cast<uint8_t>(blocks.size()));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().bytes.data()) % kHugePage, 0u);
    }
    for (Block& block : blocks) {
      EXPECT_TRUE(block.untouched());
      block.give_back(pages);
    }
  }
}

TEST(NodePages, SaysThatThereAreNone) {
  NodePages pages(0);
  EXPECT_THROW(static_cast<void>(pages.allocate(size_t{1} << 60)), std::bad_alloc);
}

TEST(PoolMemory, NoTwoArraysShareAByte) {
  std::mt19937 random(7);
  PoolMemory memory(0);
  std::vector<Block> blocks;
  constexpr size_t kSizes[] = {1, 4, 64, 4000, 16'000, 258'048, 1'032'192};
  for (int step = 0; step < 200; ++step) {
    if (blocks.size() < 40 || random() % 2 == 0) {
      blocks.emplace_back(memory, kSizes[random() % std::size(kSizes)],
                          static_cast<uint8_t>(random()));
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      ASSERT_TRUE(blocks.back().untouched());
      blocks.back().give_back(memory);
      blocks.pop_back();
    }
    if (blocks.size() > 60) blocks.resize(60, blocks[0]);  // some are never given back
  }
  for (const Block& block : blocks) ASSERT_TRUE(block.untouched());
}

TEST(PoolMemory, AnArrayGivenBackServesTheNextOfItsSizeAndKeepsNoPages) {
  PoolMemory memory(0);
  constexpr size_t kSize = 1'032'192, kPage = 4096;
  Block first(memory, kSize, 1);
  first.give_back(memory);
  std::vector<unsigned char> resident(kSize / kPage);
  auto* const page = reinterpret_cast<uint8_t*>(
      (reinterpret_cast<uintptr_t>(first.bytes.data()) + 2 * kPage) / kPage * kPage);
  ASSERT_EQ(mincore(page, kSize - 4 * kPage, resident.data()), 0);
  EXPECT_EQ(std::ranges::count(resident, 1), 0);
  const Block other(memory, kSize / 2, 2);
  const Block next(memory, kSize, 3);
  EXPECT_EQ(next.bytes.data(), first.bytes.data());
  EXPECT_TRUE(other.untouched());
}

}  // namespace
}  // namespace sluice
