// SPDX-License-Identifier: BSD-3-Clause
// A look-up among 10 to 10,000 routes of either family: RouteTable beside a list and DPDK's
// libraries, with what each takes to make and to keep.
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_lpm.h>
#include <rte_lpm6.h>

#include <algorithm>
#include <memory>
#include <random>

#include "dataplane/state/access_list.h"
#include "dataplane/state/route_table.h"
#include "tests/bench/cases.h"
#include "tests/bench/lookup.h"
#include "tests/bench/rig.h"

namespace sluice::bench {
namespace {

using net::Ipv4Address;
using net::Ipv6Address;
using net::uint128;

constexpr uint32_t kDestinations = 65'536;
constexpr uint32_t kOfAList = 2'048;  // which is slow

Ipv4Address address_of(uint32_t number) {
  return Ipv4Address::from_host(number);
}
Ipv6Address address_of(uint128 number) {
  Ipv6Address ip;
  for (size_t i = 0; i < 16; ++i) ip.bytes[i] = static_cast<uint8_t>(number >> (120 - 8 * i));
  return ip;
}

template <class Address>
using Prefixes = std::vector<net::Prefix<Address>>;

void must(bool done) {
  if (!done) Rig::fail("a library has no room for the routes: more --memory");
}

struct Lpm {
  explicit Lpm(const Prefixes<Ipv4Address>& prefixes) {
    const auto count = static_cast<uint32_t>(prefixes.size());
    const rte_lpm_config config{count + 1, count + 256, 0};
    must((lpm = rte_lpm_create("bench", -1, &config)) != nullptr);
    for (uint32_t i = 0; i < count; ++i) {
      const auto [to, length] = prefixes[i];
      if (length > 0) must(rte_lpm_add(lpm, to.host(), length, i) == 0);
    }
  }
  ~Lpm() { rte_lpm_free(lpm); }
  uint32_t find(Ipv4Address ip) const {
    uint32_t found;
    return rte_lpm_lookup(lpm, ip.host(), &found) == 0 ? found : 0;
  }
  rte_lpm* lpm;
};

struct Fib {
  explicit Fib(const Prefixes<Ipv4Address>& prefixes) {
    const auto count = static_cast<uint32_t>(prefixes.size());
    rte_fib_conf config{};
    config.type = RTE_FIB_DIR24_8;
    config.max_routes = static_cast<int>(4 * count);
    config.dir24_8 = {RTE_FIB_DIR24_8_4B, count + 256};
    must((fib = rte_fib_create("bench", -1, &config)) != nullptr);
    for (uint32_t i = 0; i < count; ++i) {
      const auto [to, length] = prefixes[i];
      if (length > 0) must(rte_fib_add(fib, to.host(), length, i) == 0);
    }
  }
  ~Fib() { rte_fib_free(fib); }
  uint32_t find(Ipv4Address ip) const {
    uint32_t number = ip.host();
    uint64_t found;
    rte_fib_lookup_bulk(fib, &number, &found, 1);
    return static_cast<uint32_t>(found);
  }
  rte_fib* fib;
};

constexpr uint32_t kTbl8OfPrefix = 15;  // of IPv6, at most: one for each byte after the first

struct Lpm6 {
  explicit Lpm6(const Prefixes<Ipv6Address>& prefixes) {
    const auto count = static_cast<uint32_t>(prefixes.size());
    const rte_lpm6_config config{count + 1, kTbl8OfPrefix * count, 0};
    must((lpm = rte_lpm6_create("bench", -1, &config)) != nullptr);
    for (uint32_t i = 0; i < count; ++i) {
      const auto& [to, length] = prefixes[i];
      if (length > 0) must(rte_lpm6_add(lpm, to.bytes.data(), length, i) == 0);
    }
  }
  ~Lpm6() { rte_lpm6_free(lpm); }
  uint32_t find(const Ipv6Address& ip) const {
    uint32_t found;
    return rte_lpm6_lookup(lpm, ip.bytes.data(), &found) == 0 ? found : 0;
  }
  rte_lpm6* lpm;
};

struct Fib6 {
  explicit Fib6(const Prefixes<Ipv6Address>& prefixes) {
    const auto count = static_cast<uint32_t>(prefixes.size());
    rte_fib6_conf config{};
    config.type = RTE_FIB6_TRIE;
    config.max_routes = static_cast<int>(4 * count);
    config.trie = {RTE_FIB6_TRIE_4B, kTbl8OfPrefix * count};
    must((fib = rte_fib6_create("bench", -1, &config)) != nullptr);
    for (uint32_t i = 0; i < count; ++i) {
      const auto& [to, length] = prefixes[i];
      if (length > 0) must(rte_fib6_add(fib, to.bytes.data(), length, i) == 0);
    }
  }
  ~Fib6() { rte_fib6_free(fib); }
  uint32_t find(Ipv6Address ip) const {
    uint64_t found;
    rte_fib6_lookup_bulk(fib, reinterpret_cast<uint8_t(*)[16]>(&ip), &found, 1);
    return static_cast<uint32_t>(found);
  }
  rte_fib6* fib;
};

/// Longest first.
template <class Address>
struct List {
  explicit List(const Prefixes<Address>& prefixes) : sorted(prefixes) {
    std::ranges::sort(sorted, std::greater(), &net::Prefix<Address>::length);
  }
  uint32_t find(const Address& ip) const {
    uint32_t i = 0;
    while (!sorted[i].contains(ip)) ++i;
    return i;
  }
  Prefixes<Address> sorted;
};

/// Routes as they are in a network: a default one, and the others anywhere, most of them of one
/// length; or `near` each other, and long.
template <class Address>
class Routes {
 public:
  Routes(uint32_t count, bool near) : near_(near) {
    prefixes.push_back({Address{}, 0});
    while (prefixes.size() < count) add();
    std::ranges::sort(prefixes);
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    for (uint32_t i = 0; i < kDestinations; ++i) {
      const auto& prefix = prefixes[1 + random_() % (prefixes.size() - 1)];
      destinations.push_back(address_of(
          static_cast<Number>(net::number_of(prefix.address) | (any() & ~prefix.mask()))));
    }
  }

  Prefixes<Address> prefixes;
  std::vector<Address> destinations;

 private:
  using Number = net::AddressNumber<Address>;
  static constexpr int kBits = 8 * sizeof(Address);

  Number any() {
    Number number = 0;
    for (int bit = 0; bit < kBits; bit += 32) number |= static_cast<Number>(random_()) << bit;
    return number;
  }
  void add() {
    // 10.0.0.0/12, and the network of so many bits, or anything from 2000::/3 on.
    constexpr int kNetworkBits = kBits == 32 ? 12 : 32;
    constexpr Number kNetwork = Number{kBits == 32 ? 0x0a000000u : 0x20010db8u} << (kBits - 32);
    constexpr uint8_t kUsual = kBits == 32 ? 24 : 48, kShortest = kBits == 32 ? 8 : 20;
    Number number = near_ ? kNetwork | any() >> kNetworkBits : any();
    if (kBits == 128 && !near_) number = number >> 3 | Number{1} << (kBits - 3);
    uint8_t length = kUsual;
    if (near_ || random_() % 10 < 4) {
      const uint8_t least = near_ ? kUsual : kShortest;
      length =
          static_cast<uint8_t>(least + random_() % (kBits / (kBits == 128 ? 2 : 1) + 1 - least));
    }
    const net::Prefix<Address> prefix{{}, length};
    prefixes.push_back({address_of(static_cast<Number>(number & prefix.mask())), length});
  }

  bool near_;
  std::mt19937 random_{19};
};

/// Ticks, milliseconds to make it, and what it takes of DPDK's heap.
template <class Table, class Address>
void library(Figures& figures, const char* name, const Routes<Address>& routes, uint32_t rounds) {
  const uint64_t heap = heap_bytes(), begin = rte_rdtsc();
  const Table table(routes.prefixes);
  const uint64_t made = rte_rdtsc() - begin;
  const std::string word = name;
  figures.value(word.c_str(), lookup_ticks(kDestinations, rounds, [&](uint32_t i) {
                  return table.find(routes.destinations[i]);
                }));
  figures.value((word + "_ms").c_str(), static_cast<double>(made) * 1e3 / rte_get_tsc_hz());
  const uint64_t bytes = [&] {
    if constexpr (requires { table.bytes(); }) return table.bytes();
    return heap_bytes() - heap;
  }();
  figures.value((word + "_mb").c_str(), static_cast<double>(bytes) / 1e6);
}

template <class Address, class LpmOfFamily, class FibOfFamily>
void family(const char* name, uint32_t count, bool near, uint32_t rounds) {
  const Routes<Address> routes(count, near);
  Figures figures("routes");
  figures.text("family", name);
  figures.text("where", near ? "near" : "anywhere");
  figures.count("routes", routes.prefixes.size());
  const List<Address> list(routes.prefixes);
  figures.value("list", lookup_ticks(kOfAList, rounds, [&](uint32_t i) {
                  return list.find(routes.destinations[i]);
                }));
  library<RouteTable<Address>>(figures, "table", routes, rounds);
  library<LpmOfFamily>(figures, "lpm", routes, rounds);
  library<FibOfFamily>(figures, "fib", routes, rounds);
}

/// A source in a list of [guard], beside a look-up of a route among few and among as many.
template <class Address>
void list_of_sources(const char* name, uint32_t count, uint32_t rounds) {
  const Routes<Address> few(1'000, false), many(count, false);
  Prefixes<Address> denied = many.prefixes;
  std::erase_if(denied, [](const auto& prefix) { return prefix.length == 0; });
  AccessList::Prefixes deny;
  if constexpr (sizeof(Address) == sizeof(Ipv4Address)) {
    deny.v4 = denied;
  } else {
    deny.v6 = denied;
  }
  const uint64_t begin = rte_rdtsc();
  const AccessList list({}, deny, false);
  const uint64_t made = rte_rdtsc() - begin;
  const auto ticks = [&](const auto& routes, const auto& look_up) {
    return lookup_ticks(kDestinations, rounds,
                        [&](uint32_t i) { return look_up(routes.destinations[i]); });
  };
  const RouteTable<Address> of_few(few.prefixes), of_many(many.prefixes);
  Figures figures("lists");
  figures.text("family", name);
  figures.count("prefixes", denied.size());
  figures.value("list", ticks(many, [&](const Address& ip) {
                  return static_cast<uint32_t>(list.look_up(ip));
                }));
  figures.value("routes", ticks(many, [&](const Address& ip) { return of_many.find(ip); }));
  figures.value("few_routes", ticks(few, [&](const Address& ip) { return of_few.find(ip); }));
  figures.value("list_ms", static_cast<double>(made) * 1e3 / rte_get_tsc_hz());
  figures.value("list_mb", static_cast<double>(list.bytes()) / 1e6);
}

}  // namespace

void routes(const Options& options) {
  for (const bool near : {false, true}) {
    for (const uint32_t count : {10u, 64u, 1'000u, 10'000u}) {
      family<Ipv4Address, Lpm, Fib>("IPv4", count, near, options.rounds);
    }
    for (const uint32_t count : {10u, 64u, 1'000u, 10'000u}) {
      family<Ipv6Address, Lpm6, Fib6>("IPv6", count, near, options.rounds);
    }
  }
  list_of_sources<Ipv4Address>("IPv4", 100'000, options.rounds);
  list_of_sources<Ipv6Address>("IPv6", 100'000, options.rounds);
}

}  // namespace sluice::bench
