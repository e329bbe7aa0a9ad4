// SPDX-License-Identifier: BSD-3-Clause
// Memory of a worker's own NUMA node, in hugepages where there are any: DPDK's heap for what is
// made once, at start, and transparent hugepages for what comes and goes with the configuration.
#pragma once

#include <rte_malloc.h>

#include <map>
#include <memory_resource>
#include <new>

namespace sluice {

class HugeMemory : public std::pmr::memory_resource {
 public:
  explicit HugeMemory(int numa_socket) : numa_socket_(numa_socket) {}

 private:
  void* do_allocate(size_t bytes, size_t alignment) override {
    void* p = rte_malloc_socket("sluice", bytes, static_cast<unsigned>(alignment), numa_socket_);
    if (p == nullptr) throw std::bad_alloc();
    return p;
  }
  void do_deallocate(void* p, size_t, size_t) override { rte_free(p); }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  int numa_socket_;
};

/// Regions of the kernel's, zeroed. It makes their pages huge and local as far as it can; memory
/// they are in any case, so only that is an error (std::bad_alloc).
class NodePages : public std::pmr::memory_resource {
 public:
  explicit NodePages(int numa_socket) : numa_socket_(numa_socket) {}

 private:
  void* do_allocate(size_t bytes, size_t alignment) override;
  void do_deallocate(void* p, size_t bytes, size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  int numa_socket_;
};

/// What the arrays of port pools are made of: many of the same few sizes, each smaller than a
/// hugepage, so they lie one behind the other in regions. An array that is given back is kept for
/// the next of its size, without its pages. Alignments up to a cache line. For one thread at a
/// time.
class PoolMemory : public std::pmr::memory_resource {
 public:
  explicit PoolMemory(int numa_socket) : pages_(numa_socket) {}

 private:
  struct Free {
    Free* next;
  };

  void* do_allocate(size_t bytes, size_t alignment) override;
  void do_deallocate(void* p, size_t bytes, size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  static constexpr size_t kFirstRegion = 8 << 20;  // further ones are larger

  NodePages pages_;
  std::pmr::monotonic_buffer_resource regions_{kFirstRegion, &pages_};
  std::map<size_t, Free*> free_;  // by size
};

}  // namespace sluice
