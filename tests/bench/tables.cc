// SPDX-License-Identifier: BSD-3-Clause
// A neighbour's look-up beside rte_hash, and a Toeplitz hash beside rte_thash.
#define ALLOW_EXPERIMENTAL_API  // rte_thash_gfni
#define ALLOW_INTERNAL_API      // what it is made of
#include <rte_thash.h>

#include <bit>
#include <cstring>
#include <memory_resource>
#include <random>

#include "dataplane/net/folded_multiply.h"
#include "dataplane/port/rte_hash_table.h"
#include "dataplane/port/toeplitz.h"
#include "dataplane/state/neighbours.h"
#include "tests/bench/cases.h"
#include "tests/bench/lookup.h"

namespace sluice::bench {
namespace {

using net::Ipv4Address;
using net::Ipv6Address;

constexpr uint32_t kLookups = 65'536;
constexpr uint64_t kSecret = 0xd1b54a32d192ed03;

template <class Address>
struct NeighbourKey {
  Address ip;
  uint16_t zero;
  uint16_t interface;
};

template <class Key>
uint32_t hash_of(const Key& key) {
  uint64_t hash = 0;
  for (size_t at = 0; at < sizeof key; at += sizeof hash) {
    uint64_t word = 0;
    std::memcpy(&word, reinterpret_cast<const uint8_t*>(&key) + at,
                std::min(sizeof word, sizeof key - at));
    hash = net::folded_multiply(hash ^ word, kSecret);
  }
  return static_cast<uint32_t>(hash >> 32);
}

/// Hosts of one network.
template <class Address>
Address host(uint32_t number) {
  Address ip{};
  const net::be32 last = net::be32::from_host(0x0a000000 | number);
  std::memcpy(reinterpret_cast<uint8_t*>(&ip) + sizeof ip - sizeof last, &last, sizeof last);
  return ip;
}

template <class Address>
void neighbours_of(const char* family, uint32_t count, uint32_t rounds) {
  using Key = NeighbourKey<Address>;
  constexpr uint32_t kCapacity = 16'384;
  NeighboursOf<Address> own(kCapacity, 0, std::pmr::get_default_resource(), kSecret);
  RteHashTable<Key> table(kCapacity, -1);
  std::mt19937 random(20);
  std::vector<Key> keys;
  for (uint32_t i = 0; i < count; ++i) {
    keys.push_back({host<Address>(i * 151), 0, static_cast<uint16_t>(i % 2)});
    own.create(keys[i].ip, keys[i].interface, NeighbourKinds::Share::kConfigured, 0);
    table.insert(keys[i], hash_of(keys[i]), i);
  }
  std::vector<uint32_t> order(kLookups);
  for (uint32_t& index : order) index = random() % count;
  Figures figures("neighbours");
  figures.text("family", family);
  figures.count("neighbours", count);
  figures.value("own", lookup_ticks(kLookups, rounds, [&](uint32_t i) {
                  const Key& key = keys[order[i]];
                  return own.find(key.ip, key.interface);
                }));
  figures.value("rte_hash", lookup_ticks(kLookups, rounds, [&](uint32_t i) {
                  const Key& key = keys[order[i]];
                  return table.find(key, hash_of(key));
                }));
}

template <class Address>
void toeplitz_of(const char* family, uint32_t rounds) {
  using Tuple = RssTuple<Address>;
  constexpr uint32_t kTuples = 4'096, kWords = sizeof(Tuple) / 4;
  std::mt19937 random(21);
  std::vector<uint8_t> key(52);
  for (uint8_t& byte : key) byte = static_cast<uint8_t>(random());
  std::vector<std::array<uint32_t, kWords>> words(kTuples);  // host order, for rte_softrss
  std::vector<Tuple> tuples(kTuples);
  for (uint32_t i = 0; i < kTuples; ++i) {
    for (uint32_t& word : words[i]) word = static_cast<uint32_t>(random());
    std::array<net::be32, kWords> wire;
    for (uint32_t w = 0; w < kWords; ++w) wire[w] = net::be32::from_host(words[i][w]);
    tuples[i] = std::bit_cast<Tuple>(wire);
  }
  const Toeplitz<Address> tables(key);
  Figures figures("toeplitz");
  figures.text("family", family);
  figures.value("tables",
                lookup_ticks(kTuples, rounds, [&](uint32_t i) { return tables.hash(tuples[i]); }));
  figures.value("softrss", lookup_ticks(kTuples, rounds, [&](uint32_t i) {
                  return rte_softrss(words[i].data(), kWords, key.data());
                }));
#ifdef RTE_THASH_GFNI_DEFINED
  std::vector<uint64_t> matrices(key.size());
  rte_thash_complete_matrix(matrices.data(), key.data(), static_cast<int>(key.size()));
  figures.value("gfni", lookup_ticks(kTuples, rounds, [&](uint32_t i) {
                  return rte_thash_gfni(
                      matrices.data(), reinterpret_cast<const uint8_t*>(&tuples[i]), sizeof(Tuple));
                }));
#endif
}

}  // namespace

void neighbours(const Options& options) {
  for (const uint32_t count : {10u, 1'000u, 16'384u}) {
    neighbours_of<Ipv4Address>("IPv4", count, options.rounds);
    neighbours_of<Ipv6Address>("IPv6", count, options.rounds);
  }
}

void toeplitz(const Options& options) {
  toeplitz_of<Ipv4Address>("IPv4", options.rounds);
  toeplitz_of<Ipv6Address>("IPv6", options.rounds);
}

}  // namespace sluice::bench
