// SPDX-License-Identifier: BSD-3-Clause
// What the clients of guarded services have open, and how fast they open: an entry for each client
// (ClientKey), found by DPDK's rte_hash.
//
// The table is bounded. Where it is full, the client makes way that was heard of least recently,
// and never one with an established flow: a flood of sources forgets other strangers, not clients.
// A client that was forgotten counts anew; its flows from before do not, until they are
// established. Where every entry has an established flow, further clients are not counted.
//
// Each worker has a table of its own, which it alone writes. Other workers look clients up in it
// while it changes (rte_hash's lock-free mode): entries never move, so at worst one SYN is judged
// by the counts of an entry that was just given to another client.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

#include "dataplane/net/siphash.h"
#include "dataplane/port/rte_hash_table.h"
#include "dataplane/state/client_key.h"
#include "dataplane/state/counter.h"
#include "dataplane/state/rate_window.h"

namespace sluice {

class ClientTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Client {
    Counter active;     // flows that are not over
    RateWindow opened;  // flows
    ClientKey key{};
    uint32_t generation = 0;                // of the entry: how many clients it had before
    uint32_t established = 0;               // of `active`
    uint32_t newer = kNone, older = kNone;  // strangers, by when they were heard of
  };

  struct Setup {
    uint32_t client_count_max;  // 0: there is no table, and nobody is counted
    uint32_t flow_count_max;
    net::Random& random;
    std::pmr::memory_resource* memory;
    int numa_socket = -1;
    bool is_shared = false;  // other workers look into it
  };
  /// Throws std::bad_alloc or std::runtime_error.
  explicit ClientTable(const Setup& setup);
  ClientTable(const ClientTable&) = delete;
  ClientTable& operator=(const ClientTable&) = delete;

  static size_t bytes(uint32_t client_count_max, uint32_t flow_count_max);

  /// Any worker's.
  const Client* find(const ClientKey& key) const;

  /// A flow of this client begins: true where it counts. What made way for it is forgotten.
  bool flow_opened(uint32_t flow, const ClientKey& key, uint64_t now_ms);
  /// Its handshake is done. A client that has been forgotten meanwhile counts again.
  void flow_established(uint32_t flow, const ClientKey& key);
  /// It is over.
  void flow_over(uint32_t flow);

  /// Of all clients: a walk over the table, for who checks it.
  uint64_t active_count() const {
    uint64_t sum = 0;
    for (const Client& client : clients_) sum += client.active.value();
    return sum;
  }

  // Any thread.
  uint64_t client_count() const { return client_count_.value(); }
  uint64_t evicted_count() const { return evicted_count_.value(); }
  uint32_t client_count_max() const { return static_cast<uint32_t>(clients_.size()); }

 private:
  /// A flow's entry; `generation` says whether it is still the same client's.
  struct FlowRef {
    uint32_t client = kNone;
    uint32_t generation : 31 = 0;
    uint32_t established : 1 = 0;
  };

  uint32_t find_or_make(const ClientKey& key);
  uint32_t free_entry();
  bool is_current(const FlowRef& ref) const;
  void push_newest(uint32_t index);
  void unlink(uint32_t index);
  uint32_t hash(const ClientKey& key) const { return hash_of(key, secret_); }

  std::array<uint64_t, 3> secret_;
  std::unique_ptr<RteHashTable<ClientKey>> table_;
  std::pmr::vector<Client> clients_;
  std::pmr::vector<FlowRef> flows_;           // by flow
  uint32_t oldest_ = kNone, newest_ = kNone;  // strangers: clients without an established flow
  Counter client_count_;
  Counter evicted_count_;
};

}  // namespace sluice
