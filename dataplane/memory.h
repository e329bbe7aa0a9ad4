// SPDX-License-Identifier: BSD-3-Clause
// DPDK's heap as a memory resource: hugepages of the worker's own NUMA node, where there are any.
#pragma once

#include <rte_malloc.h>

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

}  // namespace sluice
