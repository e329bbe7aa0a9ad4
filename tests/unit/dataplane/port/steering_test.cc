// SPDX-License-Identifier: BSD-3-Clause
// Steering against a software NIC: each answer comes in at the worker whose port it is for.
#include "dataplane/port/steering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <set>

#include "dataplane/port/flow_rules.h"
#include "tests/unit/dataplane/port/nic_model.h"

namespace sluice {
namespace {

using net::be16;
using net::be32;
using net::Ipv4Endpoint;
using test::NicModel;

constexpr net::SipKey kSecret{11, 12};
constexpr PortRange kAll{1024, 65535};

Ipv4Endpoint at(uint32_t ip, uint16_t port) {
  return {be32::from_host(ip), be16::from_host(port)};
}

struct Pool {
  net::Ipv4Address local;
  Ipv4Endpoint backend;
};

std::vector<Pool> pools(size_t count) {
  std::mt19937 random(5);
  std::vector<Pool> made;
  for (size_t i = 0; i < count; ++i) {
    made.push_back({be32::from_host(0x0a020001 + random() % 200),
                    at(0x0a020a00 + random() % 4096, static_cast<uint16_t>(80 + random() % 8000))});
  }
  return made;
}

Steering rss(const RssFunction& function, uint32_t workers) {
  return {SteeringKind::kRss, workers, {function, function}, kSecret};
}

void expect_shared_out(const PortShares& shares, PortRange range, uint32_t workers) {
  uint32_t total = 0;
  for (uint32_t worker = 0; worker < workers; ++worker) total += shares.set(worker)->size();
  EXPECT_EQ(total, range.size()) << "every port is somebody's, and nobody's twice";
}

TEST(Rss, AnswersReachTheWorkerThatHasThePort) {
  std::mt19937 random(1);
  for (const auto& [name, key] : test::kRssKeys) {
    for (const size_t reta_size : {64u, 128u, 512u}) {
      for (uint32_t workers = 1; workers <= 16; ++workers) {
        SCOPED_TRACE(testing::Message() << name << ", " << reta_size << ", " << workers);
        const RssFunction function{key, test::even_reta(reta_size, workers)};
        const NicModel nic(function);
        Steering steering = rss(function, workers);
        for (const Pool& pool : pools(4)) {
          const auto shares = steering.share_ports(pool.local, pool.backend, 1, kAll);
          expect_shared_out(*shares, kAll, workers);
          for (int i = 0; i < 500; ++i) {
            const auto port = static_cast<uint16_t>(kAll.first + random() % kAll.size());
            const uint32_t queue = nic.queue_of(pool.backend, {pool.local, be16::from_host(port)});
            ASSERT_EQ(shares->owner_of(port), queue);
            ASSERT_NE(shares->set(queue)->find(port), PortSet::kNone);
          }
        }
      }
    }
  }
}

net::Ipv6Address at6(std::mt19937& random) {
  net::Ipv6Address ip{{0xfd}};
  for (size_t i = 8; i < ip.bytes.size(); ++i) ip.bytes[i] = static_cast<uint8_t>(random());
  return ip;
}

// 36 bytes under keys of 40 and 52.
TEST(Rss, Ipv6AnswersReachTheWorkerThatHasThePort) {
  std::mt19937 random(7);
  for (const auto& [name, key] : test::kRssKeys) {
    for (const uint32_t workers : {2u, 7u}) {
      SCOPED_TRACE(testing::Message() << name << ", " << workers);
      const RssFunction function{key, test::even_reta(128, workers), true};
      const NicModel nic(function);
      Steering steering = rss(function, workers);
      for (int pool = 0; pool < 4; ++pool) {
        const net::Ipv6Address local = at6(random);
        const net::Ipv6Endpoint backend{at6(random), be16::from_host(80)};
        const auto shares = steering.share_ports(local, backend, 1, kAll);
        expect_shared_out(*shares, kAll, workers);
        for (int i = 0; i < 500; ++i) {
          const auto port = static_cast<uint16_t>(kAll.first + random() % kAll.size());
          ASSERT_EQ(shares->owner_of(port), nic.queue_of(backend, {local, be16::from_host(port)}));
        }
        const net::Ipv6Endpoint client{at6(random),
                                       be16::from_host(static_cast<uint16_t>(random()))};
        ASSERT_EQ(steering.owner_of_client(client, backend, 0), nic.queue_of(client, backend));
      }
    }
  }
}

// A device that hashes TCP over IPv4 alone: IPv6 is dealt out, and handed off.
TEST(Rss, WithoutIpv6ItIsDealtOut) {
  std::mt19937 random(8);
  Steering steering = rss({test::kI40eKey, test::even_reta(128, 4), false}, 4);
  const net::IpAddress local = at6(random);
  const net::Endpoint backend{at6(random), be16::from_host(80)};
  expect_shared_out(*steering.share_ports(local, backend, 0, kAll), kAll, 4);
  std::set<uint32_t> owners;
  for (int i = 0; i < 200; ++i) {
    const net::Endpoint client{at6(random), be16::from_host(1024)};
    const uint32_t owner = steering.owner_of_client(client, backend, 0);
    ASSERT_EQ(owner, steering.owner_of_client(client, backend, 1)) << "by whichever link";
    owners.insert(owner);
  }
  EXPECT_EQ(owners.size(), 4u);
}

TEST(Rss, EveryPortOfATableThatIsNotOurs) {
  // A driver that keeps a table of its own, uneven and in no order.
  std::mt19937 random(2);
  std::vector<uint16_t> reta(128);
  for (uint16_t& queue : reta) queue = static_cast<uint16_t>(std::min<uint32_t>(random() % 6, 4));
  const RssFunction function{test::kI40eKey, reta};
  const NicModel nic(function);
  Steering steering = rss(function, 5);
  for (const Pool& pool : pools(3)) {
    const auto shares = steering.share_ports(pool.local, pool.backend, 0, {1, 65535});
    for (uint32_t port = 1; port < 65536; ++port) {
      const auto p = static_cast<uint16_t>(port);
      ASSERT_EQ(shares->owner_of(p), nic.queue_of(pool.backend, {pool.local, be16::from_host(p)}));
    }
  }
}

TEST(Rss, SharesAreEven) {
  for (const auto& [name, key] : test::kRssKeys) {
    for (const size_t reta_size : {64u, 128u, 512u}) {
      for (uint32_t workers = 1; workers <= 16; ++workers) {
        SCOPED_TRACE(testing::Message() << name << ", " << reta_size << ", " << workers);
        Steering steering = rss({key, test::even_reta(reta_size, workers)}, workers);
        // No worker has more entries than ceil(size / workers), and no entry much more than its
        // part of the ports.
        const double entries = std::ceil(static_cast<double>(reta_size) / workers);
        const double most = 1.03 * kAll.size() * entries / static_cast<double>(reta_size);
        for (const Pool& pool : pools(3)) {
          const auto shares = steering.share_ports(pool.local, pool.backend, 0, kAll);
          for (uint32_t worker = 0; worker < workers; ++worker) {
            EXPECT_LE(shares->set(worker)->size(), most);
          }
        }
      }
    }
  }
}

TEST(Rss, ClientsAreServedWhereTheyComeIn) {
  std::mt19937 random(4);
  const RssFunction client_side{test::kMellanoxKey, test::even_reta(512, 6)};
  const RssFunction backend_side{test::kI40eKey, test::even_reta(64, 6)};
  const Steering steering(SteeringKind::kRss, 6, {client_side, backend_side}, kSecret);
  EXPECT_FALSE(steering.is_uniform());
  const NicModel nics[] = {NicModel(client_side), NicModel(backend_side)};
  for (int i = 0; i < 2000; ++i) {
    const Ipv4Endpoint client =
        at(static_cast<uint32_t>(random()), static_cast<uint16_t>(random()));
    const Ipv4Endpoint vip = at(0x0a030001, 80);
    for (uint16_t interface : {0, 1}) {
      ASSERT_EQ(steering.owner_of_client(client, vip, interface),
                nics[interface].queue_of(client, vip));
    }
  }
}

TEST(Rss, PoolsShareTheirSets) {
  Steering steering = rss({test::kMicrosoftKey, test::even_reta(64, 4)}, 4);
  std::set<std::shared_ptr<const PortShares>> distinct;
  for (const Pool& pool : pools(1000)) {
    distinct.insert(steering.share_ports(pool.local, pool.backend, 0, {1024, 2047}));
  }
  EXPECT_LE(distinct.size(), 64u) << "as many as the table has entries, at most";
  const Pool pool = pools(1).front();
  EXPECT_NE(steering.share_ports(pool.local, pool.backend, 0, {1024, 2047}),
            steering.share_ports(pool.local, pool.backend, 0, {1024, 2048}));
}

TEST(RteFlow, AClassOfPortsIsOneWorkers) {
  const std::vector<std::optional<RssFunction>> unknown(2);
  for (uint32_t workers = 2; workers <= 64; ++workers) {
    Steering steering(SteeringKind::kRteFlow, workers, unknown, kSecret);
    const uint32_t classes = 1u << port_class_bits(workers);
    ASSERT_GE(classes, workers);
    const auto shares = steering.share_ports(be32::from_host(1), at(2, 80), 0, kAll);
    expect_shared_out(*shares, kAll, workers);
    uint32_t least = kAll.size(), most = 0;
    for (uint32_t worker = 0; worker < workers; ++worker) {
      least = std::min(least, shares->set(worker)->size());
      most = std::max(most, shares->set(worker)->size());
    }
    EXPECT_LE(most, least + least / 7 + 8) << workers;
    for (uint32_t port = kAll.first; port <= kAll.last; ++port) {
      ASSERT_EQ(shares->owner_of(static_cast<uint16_t>(port)),
                worker_of_class(port % classes, workers));
    }
    EXPECT_EQ(steering.owner_of_client(at(9, 9), at(8, 80), 0), Steering::kReceiver);
  }
}

TEST(RteFlow, EveryPortMeetsOneRuleAndItIsItsOwners) {
  for (const uint32_t workers : {2u, 3u, 4u, 5u, 7u, 8u, 12u, 16u, 63u, 64u}) {
    Steering steering(SteeringKind::kRteFlow, workers, std::vector<std::optional<RssFunction>>(2),
                      kSecret);
    const auto shares = steering.share_ports(be32::from_host(1), at(2, 80), 0, {1, 65535});
    const std::vector<PortRule> rules = port_rules(workers);
    for (uint32_t port = 1; port < 65536; ++port) {
      uint32_t met = 0;
      for (const PortRule& rule : rules) {
        if ((port & rule.mask) != rule.value) continue;
        ++met;
        ASSERT_EQ(shares->owner_of(static_cast<uint16_t>(port)), rule.queue);
      }
      ASSERT_EQ(met, 1u);
    }
  }
}

TEST(RteFlow, ARuleNamesTheAddressAndTheLowBitsOfThePort) {
  const PortRule rule{3, 7, 1};
  const FlowRule tcp(be32::from_host(0x0a020001), rule, net::Protocol::kTcp);
  EXPECT_EQ(tcp.pattern[1].type, RTE_FLOW_ITEM_TYPE_IPV4);
  EXPECT_EQ(tcp.ip.hdr.dst_addr, be32::from_host(0x0a020001).raw);
  EXPECT_EQ(tcp.pattern[2].type, RTE_FLOW_ITEM_TYPE_TCP);
  net::Ipv6Address local{{0xfd, 2}};
  local.bytes[15] = 0x11;
  const FlowRule udp6(local, rule, net::Protocol::kUdp);
  EXPECT_EQ(udp6.pattern[1].type, RTE_FLOW_ITEM_TYPE_IPV6);
  const auto* spec = static_cast<const rte_flow_item_ipv6*>(udp6.pattern[1].spec);
  const auto* mask = static_cast<const rte_flow_item_ipv6*>(udp6.pattern[1].mask);
  EXPECT_EQ(std::memcmp(&spec->hdr.dst_addr, &local, sizeof local), 0);
  const std::array<uint8_t, 16> all = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  EXPECT_EQ(std::memcmp(&mask->hdr.dst_addr, all.data(), all.size()), 0);
  EXPECT_EQ(udp6.pattern[2].type, RTE_FLOW_ITEM_TYPE_UDP);
  const auto* ports = static_cast<const rte_flow_item_udp*>(udp6.pattern[2].spec);
  EXPECT_EQ(ports->hdr.dst_port, be16::from_host(3).raw);
  EXPECT_EQ(static_cast<const rte_flow_action_queue*>(udp6.actions[0].conf)->index, 1);
}

TEST(HandoffSteering, SpreadsClientsAndPortsEvenly) {
  std::mt19937 random(6);
  for (uint32_t workers = 2; workers <= 64; ++workers) {
    Steering steering(SteeringKind::kHandoff, workers, std::vector<std::optional<RssFunction>>(2),
                      kSecret);
    expect_shared_out(*steering.share_ports(be32::from_host(1), at(2, 80), 0, kAll), kAll, workers);
    std::vector<uint32_t> clients(workers);
    constexpr uint32_t kClients = 20'000;
    for (uint32_t i = 0; i < kClients; ++i) {  // one host, port after port, is spread as well
      const Ipv4Endpoint client = at(0x0a010000 + (i & 1), static_cast<uint16_t>(i / 2 + 1024));
      const uint32_t owner = steering.owner_of_client(client, at(0x0a030001, 80), 0);
      ASSERT_LT(owner, workers);
      ASSERT_EQ(owner, steering.owner_of_client(client, at(0x0a030001, 80), 1));
      ++clients[owner];
    }
    const double mean = static_cast<double>(kClients) / workers;
    for (const uint32_t count : clients) EXPECT_NEAR(count, mean, 6 * std::sqrt(mean)) << workers;
  }
}

TEST(Alone, EverythingIsWorkerZeros) {
  Steering alone;
  EXPECT_EQ(alone.owner_of_client(at(9, 9), at(8, 80), 0), 0u);
  EXPECT_EQ(alone.share_ports(be32::from_host(1), at(2, 80), 0, kAll)->set(0)->size(), kAll.size());
  const Steering one(SteeringKind::kRss, 1, {}, kSecret);
  EXPECT_EQ(one.kind(), SteeringKind::kAlone);
}

}  // namespace
}  // namespace sluice
