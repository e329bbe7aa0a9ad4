// SPDX-License-Identifier: BSD-3-Clause
// DPDK's hash table (rte_hash: cuckoo, buckets of eight) from keys of one kind to numbers, for one
// thread.
//
// Hashes are the caller's and keyed: rte_hash's own have no secret. The number is the data of a
// key, not its position: positions run past the capacity and are given out in turn, so that arrays
// by position would never be warm.
//
// Sized so that an insertion below the capacity does not fail: a table that is to be more than 7/8
// full has twice the buckets, a small one at least four slots a key. Without EXT_TABLE, whose
// chains cost more than the room that they save.
#pragma once

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace sluice {

/// rte_hash wants a name of its own for each table, whatever its keys.
inline std::atomic<uint32_t> rte_hash_tables_made{0};

template <class Key>
class RteHashTable {
  static_assert(std::has_unique_object_representations_v<Key>);

 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  /// Keys of one call of look_up(): rte_hash shifts by their count, which 64 would be too much for.
  static constexpr uint32_t kBulkMax = 32;

  /// `is_shared`: other threads call find() meanwhile; they may miss a key that is being moved or
  /// given to another. Throws std::runtime_error when the memory is not to be had.
  RteHashTable(uint32_t capacity, int numa_socket, bool is_shared = false) : is_shared_(is_shared) {
    const std::string name = "hash-" + std::to_string(rte_hash_tables_made++);
    rte_hash_parameters parameters{};
    parameters.name = name.c_str();
    parameters.entries = entries_for(capacity);
    parameters.key_len = sizeof(Key);
    parameters.socket_id = numa_socket;
    if (is_shared) parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF;
    table_ = rte_hash_create(&parameters);
    if (table_ == nullptr) {
      throw std::runtime_error("rte_hash for " + std::to_string(capacity) +
                               " keys: " + rte_strerror(rte_errno));
    }
    rte_hash_set_cmp_func(table_, differ);
  }
  RteHashTable(const RteHashTable&) = delete;
  RteHashTable& operator=(const RteHashTable&) = delete;
  ~RteHashTable() { rte_hash_free(table_); }

  /// The numbers of `count` keys, at most kBulkMax; kNone for each that is not there.
  void look_up(const Key* keys, const uint32_t* hashes, uint32_t count, uint32_t* numbers) const {
    const void* pointers[kBulkMax];
    void* data[kBulkMax];
    uint64_t hits = 0;
    for (uint32_t i = 0; i < count; ++i) pointers[i] = &keys[i];
    rte_hash_lookup_with_hash_bulk_data(table_, pointers, const_cast<uint32_t*>(hashes), count,
                                        &hits, data);
    for (uint32_t i = 0; i < count; ++i) {
      numbers[i] = (hits >> i & 1) != 0 ? number_of(data[i]) : kNone;
    }
  }
  uint32_t find(const Key& key, uint32_t hash) const {
    void* data;
    return rte_hash_lookup_with_hash_data(table_, &key, hash, &data) < 0 ? kNone : number_of(data);
  }
  /// False when there is no room. A key that is there gets the new number.
  bool insert(const Key& key, uint32_t hash, uint32_t number) {
    void* const data = reinterpret_cast<void*>(uintptr_t{number});
    return rte_hash_add_key_with_hash_data(table_, &key, hash, data) == 0;
  }
  void erase(const Key& key, uint32_t hash) {
    const int32_t position = rte_hash_del_key_with_hash(table_, &key, hash);
    // Its readers are content with another key's number, so nobody need be waited for.
    if (is_shared_ && position >= 0) rte_hash_free_key_with_position(table_, position);
  }

  /// Bytes that a table takes, but for what DPDK's heap adds to each piece.
  static size_t bytes(uint32_t capacity) {
    constexpr size_t kBucket = 64, kBucketSlots = 8, kKeyAlign = 16, kHeads = 1024;
    const uint32_t entries = entries_for(capacity);
    const size_t key = (sizeof(void*) + sizeof(Key) + kKeyAlign - 1) / kKeyAlign * kKeyAlign;
    const auto ring = rte_ring_get_memsize_elem(sizeof(uint32_t), std::bit_ceil(entries + 1));
    return std::bit_ceil(entries) / kBucketSlots * kBucket + key * (size_t{entries} + 1) +
           static_cast<size_t>(ring) + kHeads;
  }

 private:
  /// What rte_hash is asked for: it rounds up to a power of two and has a slot for each.
  static constexpr uint32_t entries_for(uint32_t capacity) {
    constexpr uint32_t kOneBucket = 8, kSmall = 4096;
    if (capacity <= kOneBucket) return kOneBucket;  // any eight keys fit into one
    if (capacity < kSmall) return 4 * capacity;
    const uint32_t slots = std::bit_ceil(capacity);
    return capacity <= slots / 8 * 7 ? capacity : slots + 1;
  }
  static uint32_t number_of(void* data) {
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(data));
  }
  static int differ(const void* a, const void* b, size_t) {
    return std::memcmp(a, b, sizeof(Key)) != 0;  // in line, as a call it costs 19 instructions
  }

  rte_hash* table_;
  bool is_shared_;
};

}  // namespace sluice
