// SPDX-License-Identifier: BSD-3-Clause
// Regions of pages.
#include "dataplane/port/memory.h"

#include <numaif.h>
#include <sys/mman.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <memory>
#include <utility>

namespace sluice {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kLine = 64;  // where an array begins, whatever it is of

size_t whole_pages(size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

void give_back(void* begin, size_t bytes) {
  if (bytes > 0) munmap(begin, bytes);
}

}  // namespace

void* NodePages::do_allocate(size_t bytes, size_t) {
  bytes = whole_pages(bytes);
  // With room to begin where a hugepage does; what is left on both sides goes back.
  const size_t mapped = bytes + kHugePage;
  void* const begin =
      mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  void* region = begin;
  size_t space = mapped;
  std::align(kHugePage, bytes, region, space);
  give_back(begin, mapped - space);
  give_back(static_cast<char*>(region) + bytes, space - bytes);
  madvise(region, bytes, MADV_HUGEPAGE);
  if (numa_socket_ >= 0 && numa_socket_ < static_cast<int>(sizeof(long) * CHAR_BIT)) {
    const unsigned long nodes = 1ul << numa_socket_;
    mbind(region, bytes, MPOL_PREFERRED, &nodes, sizeof(nodes) * CHAR_BIT + 1, 0);
  }
  return region;
}

void NodePages::do_deallocate(void* p, size_t bytes, size_t) {
  munmap(p, whole_pages(bytes));
}

void* PoolMemory::do_allocate(size_t bytes, size_t alignment) {
  if (alignment > kLine) throw std::bad_alloc();
  bytes = std::max(bytes, sizeof(Free));
  Free*& first = free_[bytes];
  if (first == nullptr) return regions_.allocate(bytes, kLine);
  return std::exchange(first, first->next);
}

void PoolMemory::do_deallocate(void* p, size_t bytes, size_t) {
  bytes = std::max(bytes, sizeof(Free));
  Free*& first = free_.find(bytes)->second;
  first = new (p) Free{first};
  // All pages but that of the link, as far as they are this array's alone.
  const size_t begin = whole_pages(reinterpret_cast<uintptr_t>(first + 1));
  const size_t end = (reinterpret_cast<uintptr_t>(p) + bytes) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace sluice
