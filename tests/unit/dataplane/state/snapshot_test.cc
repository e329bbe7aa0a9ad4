// SPDX-License-Identifier: BSD-3-Clause
// Look-ups in a snapshot: services, longest prefixes, own addresses.
#include "dataplane/state/snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice {
namespace {

using test::endpoint;
using test::ip4;

const ServiceView* find_service(const Snapshot& snapshot, const net::Endpoint& vip) {
  return snapshot.find_service(snapshot.service_at(net::Protocol::kTcp, vip));
}

TEST(Snapshot, ServicesByAddressAndPort) {
  Snapshot snapshot;
  for (uint16_t id = 0; id < 200; ++id) {
    ServiceView service{};
    service.id = id;
    service.vip = endpoint(ip4(10, 3, 0, static_cast<uint8_t>(id % 10)),
                           static_cast<uint16_t>(80 + 211 * (id / 10)));
    snapshot.services.push_back(service);
  }
  std::shuffle(snapshot.services.begin(), snapshot.services.end(), std::mt19937(15));
  snapshot.seal();
  for (const ServiceView& service : snapshot.services) {
    ASSERT_NE(find_service(snapshot, service.vip), nullptr);
    EXPECT_EQ(find_service(snapshot, service.vip)->id, service.id);
  }
  EXPECT_EQ(find_service(snapshot, endpoint(ip4(10, 3, 0, 0), 81)), nullptr);
  EXPECT_EQ(find_service(snapshot, endpoint(ip4(10, 3, 0, 10), 80)), nullptr);
  EXPECT_EQ(find_service(snapshot, endpoint(ip4(255, 255, 255, 255), 65535)), nullptr);
  EXPECT_EQ(find_service(Snapshot(), endpoint(ip4(10, 3, 0, 0), 80)), nullptr);
}

TEST(Snapshot, AProtocolHasServicesAndPoolsOfItsOwn) {
  const net::Ipv4Endpoint vip = endpoint(ip4(10, 3, 0, 1), 53),
                          backend = endpoint(ip4(10, 2, 0, 9), 53);
  const net::Ipv4Address local = ip4(10, 2, 0, 1);
  Snapshot snapshot;
  for (const net::Protocol protocol : {net::Protocol::kTcp, net::Protocol::kUdp}) {
    ServiceView service{};
    service.id = static_cast<ServiceId>(protocol);
    service.protocol = protocol;
    service.vip = vip;
    snapshot.services.push_back(service);
    snapshot.pools.push_back({static_cast<PoolId>(protocol), protocol, local, backend});
  }
  snapshot.v4.locals = {local};
  snapshot.seal();
  for (const net::Protocol protocol : {net::Protocol::kTcp, net::Protocol::kUdp}) {
    EXPECT_EQ(snapshot.service_at(protocol, vip), static_cast<ServiceId>(protocol));
    EXPECT_EQ(snapshot.pool_at(protocol, local, backend), static_cast<PoolId>(protocol));
  }
}

TEST(Snapshot, LongestPrefixWins) {
  Snapshot snapshot;
  const auto route = [&](net::Ipv4Address to, uint8_t length, uint16_t interface) {
    snapshot.v4.routes.push_back({{to, length}, {}, interface, {}});
  };
  route(ip4(0, 0, 0, 0), 0, 0);
  route(ip4(10, 1, 0, 0), 16, 1);
  route(ip4(10, 0, 0, 0), 8, 2);
  route(ip4(10, 1, 2, 3), 32, 3);
  route(ip4(10, 1, 255, 254), 17, 4);  // host bits do not matter
  snapshot.seal();
  struct Row {
    net::Ipv4Address destination;
    uint16_t interface;
  };
  const Row rows[] = {
      {ip4(10, 1, 2, 3), 3},     {ip4(10, 1, 2, 4), 1}, {ip4(10, 1, 128, 0), 4},
      {ip4(10, 2, 0, 0), 2},     {ip4(11, 0, 0, 0), 0}, {ip4(255, 255, 255, 255), 0},
      {ip4(10, 1, 127, 255), 1},
  };
  for (const Row& row : rows) {
    ASSERT_NE(snapshot.v4.find_route(row.destination), nullptr);
    EXPECT_EQ(snapshot.v4.find_route(row.destination)->interface, row.interface)
        << to_string(row.destination);
  }
}

TEST(Snapshot, LongestPrefixAgainstASearch) {
  std::mt19937 random(16);
  Snapshot snapshot;
  for (uint16_t i = 0; i < 300; ++i) {
    const uint8_t length = static_cast<uint8_t>(1 + random() % 32);
    snapshot.v4.routes.push_back(
        {{net::be32::from_host(random() & 0x0f0f0f0f), length}, {}, i, {}});
  }
  const std::vector<Route> unsorted = snapshot.v4.routes;
  snapshot.seal();
  for (int round = 0; round < 20'000; ++round) {
    const net::Ipv4Address ip = net::be32::from_host(random() & 0x0f0f0f0f);
    int longest = -1;
    for (const Route& route : unsorted) {
      if (route.to.contains(ip)) longest = std::max<int>(longest, route.to.length);
    }
    const Route* found = snapshot.v4.find_route(ip);
    ASSERT_EQ(found == nullptr ? -1 : found->to.length, longest);
  }
}

TEST(Snapshot, OwnAddresses) {
  Snapshot snapshot;
  snapshot.interfaces = {
      {"client", 0, test::mac(1), {{{ip4(10, 1, 255, 254), 16}}}},
      {"backend", 1, test::mac(2), {{{ip4(10, 2, 0, 254), 24}, {ip4(10, 4, 0, 254), 24}}}}};
  snapshot.v4.own_everywhere = {ip4(10, 3, 0, 1), ip4(10, 2, 0, 1), ip4(10, 3, 0, 1)};
  snapshot.v4.locals = {ip4(10, 2, 0, 2), ip4(10, 2, 0, 1), ip4(10, 2, 0, 1)};
  snapshot.seal();
  EXPECT_EQ(snapshot.v4.own_everywhere.size(), 2u);
  EXPECT_EQ(snapshot.v4.locals.size(), 2u);
  struct Row {
    net::Ipv4Address ip;
    bool own_on_client, own_on_backend, local;
  };
  const Row rows[] = {
      {ip4(10, 3, 0, 1), true, true, false},      {ip4(10, 2, 0, 1), true, true, true},
      {ip4(10, 1, 255, 254), true, false, false}, {ip4(10, 2, 0, 254), false, true, false},
      {ip4(10, 4, 0, 254), false, true, false},   {ip4(10, 1, 0, 0), false, false, false},
      {ip4(10, 2, 0, 2), false, false, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(to_string(row.ip));
    EXPECT_EQ(snapshot.is_own(row.ip, 0), row.own_on_client);
    EXPECT_EQ(snapshot.is_own(row.ip, 1), row.own_on_backend);
    EXPECT_EQ(snapshot.is_local(row.ip), row.local);
  }
}

}  // namespace
}  // namespace sluice
