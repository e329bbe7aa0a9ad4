// SPDX-License-Identifier: BSD-3-Clause
// What outlives a worker: its flows and what its ports remember, in memory that the next process
// finds again.
//
// Nothing in there is a pointer, and nothing means anything only here: numbers of paths
// are told by KeptPath, chunks of ports say which pool and which ports they are of. Each
// record says by itself whether it is whole:
//
//   Flow           `live`, set by the last store of its beginning and cleared by the first of its
//                  end, and of whatever else would leave half of it behind
//   port's record  `place`: kInUse while it changes
//   PortChunk, KeptPath   `whole`, in the same way
//
// A processor of x86 keeps the order of its stores; store_barrier() has the compiler keep it. What
// a whole record is then still behind or ahead by is one packet that never left.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

#include "dataplane/state/pool_name.h"

namespace sluice {

/// The stores before it stay before those behind it, in memory that another process reads once this
/// one is gone.
inline void store_barrier() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Where a worker's lasting state is to be made; nullptr: where everything else is.
struct KeptMemory {
  std::pmr::memory_resource* flows = nullptr;
  std::pmr::memory_resource* clients6 = nullptr;
  std::pmr::memory_resource* clock_maps = nullptr;
  std::pmr::memory_resource* proxy_tracks = nullptr;
  std::pmr::memory_resource* splices = nullptr;
  std::pmr::memory_resource* port_chunks = nullptr;
};

/// What the number of a path in a flow stands for.
struct KeptPath {
  PoolName pool;
  net::Endpoint vip;  // of the service whose backend it is
  bool whole;
};

}  // namespace sluice
