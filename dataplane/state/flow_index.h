// SPDX-License-Identifier: BSD-3-Clause
// Finds the flows of a worker by who the client is and which VIP it talks to. Keys go in, indices
// of flows come out; the flows themselves are in an array elsewhere (FlowTable).
//
// A burst is looked up as a whole, so that what has to be fetched for its keys is fetched at once:
//
//   prefetch(hash), burst.add(key, hash)  for each packet
//   look_up(burst)                        then burst.candidates are set, and their flows fetched
//
// A candidate is the flow that is probably meant, or kNone when surely none is. Who uses it
// compares the flow's key first, and asks find() where it is another's.
//
// The hash is keyed with the system's randomness, so that keys which collide cannot be made from
// outside: a folded multiplication for each word of the key, and one more. Nothing is allocated
// after construction.
//
// An index is of one family. IPv6 clients' addresses stand beside the flows, one for each.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <type_traits>

#include "dataplane/net/folded_multiply.h"
#include "dataplane/net/siphash.h"
#include "dataplane/state/flow.h"

namespace sluice {

enum class FlowIndexKind : uint8_t {
  kRteHash,  // DPDK's, in port/rte_hash_index.h
  kCompact,  // of our own, in compact_index.h
};

/// The keys of a burst, and what an index says of them.
template <class Key>
struct FlowBurstOf {
  static constexpr uint32_t kMax = 64;

  uint32_t count = 0;
  uint32_t published_count;  // FlowTable's, when the keys were looked up
  Key keys[kMax];
  uint64_t hashes[kMax];
  uint32_t candidates[kMax];

  FlowBurstOf() {}  // the arrays stay as they are
  /// Its place in the burst. There is room for kMax.
  uint32_t add(const Key& key, uint64_t hash) {
    keys[count] = key;
    hashes[count] = hash;
    return count++;
  }
};
using FlowBurst = FlowBurstOf<FlowKey>;
using FlowBurst6 = FlowBurstOf<FlowKey6>;

/// Flows, and beside each the address of its client where that is IPv6.
struct FlowArray {
  const Flow* flows;
  const net::Ipv6Address* clients6 = nullptr;

  bool has_key(uint32_t flow, const FlowKey& key) const { return flows[flow].key == key; }
  bool has_key(uint32_t flow, const FlowKey6& key) const {
    const FlowKey& known = flows[flow].key;
    return known.client.port == key.client.port && known.service == key.service &&
           known.client.ip.raw == 0 && clients6[flow] == key.client.ip;
  }
};

/// What an index is made of. The flows outlive it.
struct FlowIndexSetup {
  FlowArray flows;
  uint32_t flow_count_max;
  net::Random& random;
  std::pmr::memory_resource* memory;
  int numa_socket = -1;  // any
};

template <class Key>
class FlowIndexOf {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  FlowIndexOf(const FlowIndexOf&) = delete;
  FlowIndexOf& operator=(const FlowIndexOf&) = delete;
  virtual ~FlowIndexOf() = default;

  uint64_t hash(const Key& key) const {
    if constexpr (std::is_same_v<Key, FlowKey>) {
      const uint64_t word = key.word();
      const uint64_t once = net::folded_multiply(word ^ secret_[0], secret_[1]);
      return net::folded_multiply(once ^ word, secret_[2]);
    } else {
      uint64_t hash = secret_[0];
      for (const uint64_t word : key.words()) hash = net::folded_multiply(hash ^ word, secret_[1]);
      return net::folded_multiply(hash ^ secret_[3], secret_[2]);
    }
  }
  // In line always: gcc takes a function that only prefetches for one without effect, and drops it.
  [[gnu::always_inline]] void prefetch(uint64_t hash) const {
    __builtin_prefetch(&lines_[line_of(hash)]);
  }
  /// Names the candidates and fetches their flows: those of the first keys while later ones are
  /// looked up.
  virtual void look_up(FlowBurstOf<Key>& burst) const = 0;
  /// The flow with this key, or kNone.
  virtual uint32_t find(const Key& key, uint64_t hash) const = 0;
  /// The key must not be there yet. False when there is no room for it.
  virtual bool insert(const Key& key, uint32_t flow) = 0;
  /// Nothing happens where the key is not there.
  virtual void erase(const Key& key, uint32_t flow) = 0;

 protected:
  struct alignas(64) Line {
    char bytes[64];
  };

  explicit FlowIndexOf(const FlowIndexSetup& setup) : flows_(setup.flows) {
    for (uint64_t& word : secret_) word = setup.random.next() | 1;
  }
  bool has_key(uint32_t flow, const Key& key) const { return flows_.has_key(flow, key); }
  [[gnu::always_inline]] void fetch_flow(uint32_t candidate) const {
    if (candidate == kNone) return;
    __builtin_prefetch(&flows_.flows[candidate]);
    if constexpr (!std::is_same_v<Key, FlowKey>) __builtin_prefetch(&flows_.clients6[candidate]);
  }
  /// Where look-ups begin; of an index that does not tell, a line that nobody needs.
  void set_lines(const void* lines, uint32_t count) {
    lines_ = static_cast<const Line*>(lines);
    line_count_ = count;
  }
  uint32_t line_of(uint64_t hash) const {
    return static_cast<uint32_t>((hash >> 32) * line_count_ >> 32);
  }

 private:
  FlowArray flows_;
  uint64_t secret_[std::is_same_v<Key, FlowKey> ? 3 : 4];
  const Line* lines_ = nullptr;
  uint32_t line_count_ = 1;
};

using FlowIndex = FlowIndexOf<FlowKey>;
using FlowIndex6 = FlowIndexOf<FlowKey6>;

/// Both throw std::bad_alloc or std::runtime_error.
struct MakeFlowIndex {
  std::unique_ptr<FlowIndex> (*v4)(const FlowIndexSetup&);
  std::unique_ptr<FlowIndex6> (*v6)(const FlowIndexSetup&);
};

}  // namespace sluice
