// SPDX-License-Identifier: BSD-3-Clause
// The longest prefix of both families, against a search of the list.
#include "dataplane/state/route_table.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

using net::Ipv4Address;
using net::Ipv6Address;
using net::uint128;

Ipv4Address address_of(uint32_t number) {
  return Ipv4Address::from_host(number);
}
Ipv6Address address_of(uint128 number) {
  Ipv6Address ip;
  for (size_t i = 0; i < ip.bytes.size(); ++i) {
    ip.bytes[i] = static_cast<uint8_t>(number >> (120 - 8 * i));
  }
  return ip;
}

template <class Address>
class RouteTables : public testing::Test {
 protected:
  using Prefix = net::Prefix<Address>;
  using Number = net::AddressNumber<Address>;
  using Table = RouteTable<Address>;
  static constexpr uint8_t kBits = Prefix::kLengthMax;

  Number any() {
    Number number = 0;
    for (int bit = 0; bit < kBits; bit += 32) number |= static_cast<Number>(random()) << bit;
    return number;
  }
  static Prefix prefix(Number number, int length) {
    return {address_of(number), static_cast<uint8_t>(length)};
  }

  static uint32_t search(const std::vector<Prefix>& prefixes, const Address& ip) {
    uint32_t best = Table::kNone;
    for (uint32_t i = 0; i < prefixes.size(); ++i) {
      if (!prefixes[i].contains(ip)) continue;
      if (best == Table::kNone || prefixes[i].length > prefixes[best].length) best = i;
    }
    return best;
  }
  /// At both ends of each prefix, one address beyond, and anywhere.
  void agrees(const std::vector<Prefix>& prefixes, int anywhere = 200) {
    const Table table(prefixes);
    const auto check = [&](Number number) {
      const Address ip = address_of(number);
      ASSERT_EQ(table.find(ip), search(prefixes, ip))
          << prefixes.size() << " prefixes, " << std::hex << static_cast<uint64_t>(number >> 1);
    };
    for (const Prefix& p : prefixes) {
      const Number begin = net::number_of(p.address) & p.mask();
      const Number last = begin | static_cast<Number>(~p.mask());
      for (const Number number : {begin, begin - 1, begin + 1, last, last + 1}) {
        ASSERT_NO_FATAL_FAILURE(check(number));
      }
    }
    for (const Number number : {Number{0}, static_cast<Number>(~Number{0})}) check(number);
    for (int i = 0; i < anywhere; ++i) ASSERT_NO_FATAL_FAILURE(check(any()));
  }

  std::mt19937 random{17};
};

using Families = testing::Types<Ipv4Address, Ipv6Address>;
TYPED_TEST_SUITE(RouteTables, Families);

TYPED_TEST(RouteTables, NoneOneAndAll) {
  using Number = typename TestFixture::Number;
  EXPECT_EQ((RouteTable<TypeParam>().find(address_of(Number{0}))), RouteTable<TypeParam>::kNone);
  const Number last = static_cast<Number>(~Number{0});
  this->agrees({});
  for (const Number number : {Number{0}, Number{1}, last}) {
    for (const int length : {0, 1, this->kBits - 1, int{this->kBits}}) {
      this->agrees({this->prefix(number, length)});
    }
  }
  this->agrees({this->prefix(0, 1), this->prefix(last, 1)});
  this->agrees({this->prefix(last, this->kBits), this->prefix(0, this->kBits)});
}

TYPED_TEST(RouteTables, OfEqualOnesTheFirstCounts) {
  const auto number = this->any();
  this->agrees({this->prefix(number, 12), this->prefix(number, 12), this->prefix(number, 12)});
  // Host bits do not make them differ.
  this->agrees({this->prefix(number, 12), this->prefix(number ^ 1, 12), this->prefix(number, 8),
                this->prefix(number ^ 1, 8)});
}

TYPED_TEST(RouteTables, NestedInEveryLength) {
  const auto number = this->any();
  std::vector<net::Prefix<TypeParam>> prefixes;
  for (int length = 0; length <= this->kBits; ++length) {
    prefixes.push_back(this->prefix(number, length));
    this->agrees(prefixes, 20);
  }
  std::ranges::reverse(prefixes);
  this->agrees(prefixes);
}

// All end, or all begin, with the same address.
TYPED_TEST(RouteTables, NestedAtOneEnd) {
  using Number = typename TestFixture::Number;
  for (const Number number : {Number{0}, static_cast<Number>(~Number{0})}) {
    std::vector<net::Prefix<TypeParam>> prefixes;
    for (int length = 0; length <= this->kBits; ++length) {
      prefixes.push_back(this->prefix(number, length));
    }
    this->agrees(prefixes);
    prefixes.erase(prefixes.begin());
    this->agrees(prefixes);
  }
}

TYPED_TEST(RouteTables, SideBySide) {
  std::vector<net::Prefix<TypeParam>> prefixes;
  const int length = this->kBits - 4;
  const auto number = this->any();
  for (uint32_t i = 0; i < 300; ++i) prefixes.push_back(this->prefix(number + 16 * i, length));
  this->agrees(prefixes);
}

// Crowded into a few places, so that they nest, meet and repeat.
TYPED_TEST(RouteTables, AtRandom) {
  using Number = typename TestFixture::Number;
  for (int round = 0; round < 300; ++round) {
    const Number places = this->any() & this->any() & this->any();
    std::vector<net::Prefix<TypeParam>> prefixes;
    const auto count = this->random() % 60;
    for (uint32_t i = 0; i < count; ++i) {
      const auto length = static_cast<int>(this->random() % (this->kBits + 1));
      prefixes.push_back(this->prefix(this->any() & places, length));
    }
    this->agrees(prefixes, 50);
  }
}

TYPED_TEST(RouteTables, TenThousandAreFew) {
  std::vector<net::Prefix<TypeParam>> prefixes = {this->prefix(0, 0)};
  while (prefixes.size() < 10'000) {
    prefixes.push_back(
        this->prefix(this->any(), static_cast<int>(8 + this->random() % (this->kBits - 7))));
  }
  const RouteTable<TypeParam> table(prefixes);
  EXPECT_LE(table.bytes(), 1'000'000u);
  for (int i = 0; i < 2'000; ++i) {
    const TypeParam ip = address_of(this->any());
    ASSERT_EQ(table.find(ip), this->search(prefixes, ip));
  }
}

}  // namespace
}  // namespace sluice
