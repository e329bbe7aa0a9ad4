// SPDX-License-Identifier: BSD-3-Clause
// What a configuration of both families becomes in a snapshot.
#include "control/daemon/core/snapshot_builder.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/config/config_load.h"

namespace sluice::control {
namespace {

constexpr net::MacAddress kClientMac{{2, 0, 0, 0, 0, 1}}, kServerMac{{2, 0, 0, 0, 0, 2}};

const char* const kText = R"(
[[interface]]
name = "client"
device = "net_null0"
addresses = ["fd00:1::fe/64", "10.1.255.254/16"]
neighbours = { "fe80::1" = "02:00:00:00:01:01", "10.1.255.1" = "02:00:00:00:01:02" }
[[interface]]
name = "server"
device = "net_null1"
addresses = ["fd00:2::fe/64", "10.2.255.254/32"]
[[route]]
to = "::/0"
via = "fe80::1"
interface = "client"
[[route]]
to = "10.2.0.0/16"
via = "10.2.254.1"
interface = "server"
on_link = true
[[local_pool]]
name = "four"
addresses = ["10.2.128.1"]
[[local_pool]]
name = "six"
addresses = ["fd00:2::11", "fd00:2::12"]
[[service]]
name = "6-to-4"
vip = "[fd00:3::1]:80"
local_pool = "four"
[[service.backend]]
address = "10.2.0.10:80"
[[service]]
name = "6-to-6"
vip = "[fd00:3::1]:53"
protocol = "udp"
icmp_echo = false
local_pool = "six"
[[service.backend]]
address = "[fd00:2::10]:53"
[[service]]
name = "4-to-6"
vip = "10.3.0.1:80"
icmp_echo = false
mss_clamp = false
local_pool = "six"
[[service.backend]]
address = "[fd00:2::10]:80"
)";

class SnapshotOfBothFamilies : public testing::Test {
 protected:
  SnapshotOfBothFamilies() {
    const LoadedConfig loaded = parse_config(kText);
    EXPECT_TRUE(loaded.ok()) << describe(loaded.problems, "f");
    config_ = loaded.config;
    identities_.adopt(config_, 0);
    snapshot_ = build_snapshot(config_, weights_of(config_, {}), {}, identities_,
                               {{0, kClientMac}, {1, kServerMac}}, 1);
  }
  static net::Ipv6Address ip6(const char* text) { return parse_ip(text)->v6(); }
  static net::Endpoint at(const char* text) { return *parse_endpoint(text); }

  std::unique_ptr<Registry> registry_ = std::make_unique<Registry>();
  Steering steering_;
  Identities identities_{{registry_.get()}, net::Random({1, 2}), steering_};
  Config config_;
  std::unique_ptr<Snapshot> snapshot_;
};

TEST_F(SnapshotOfBothFamilies, InterfacesHaveALinkLocalAddress) {
  const InterfaceView& client = snapshot_->interfaces[0];
  ASSERT_EQ(client.v6.own.size(), 2u);
  EXPECT_EQ(client.v6.own[1].address, ip6("fe80::ff:fe00:1"));
  EXPECT_EQ(client.v6.own[1].length, 64);
  EXPECT_EQ(client.v4.own.size(), 1u);
  EXPECT_EQ(client.v6.pinned.at(0).ip, ip6("fe80::1"));
  EXPECT_EQ(client.v4.pinned.size(), 1u);
  EXPECT_TRUE(snapshot_->interfaces[1].v6.is_own(ip6("fe80::ff:fe00:2")));
  EXPECT_TRUE(std::ranges::count(client.v6.announced, ip6("fe80::ff:fe00:1")));
}

TEST_F(SnapshotOfBothFamilies, RoutesGoByGatewaysThatTheyName) {
  const auto* default_route = snapshot_->v6.find_route(ip6("2001:db8::1"));
  ASSERT_NE(default_route, nullptr);
  EXPECT_EQ(default_route->via, ip6("fe80::1"));
  EXPECT_EQ(default_route->interface, 0);
  EXPECT_EQ(default_route->source, ip6("fd00:1::fe"));
  const auto* gateway = snapshot_->v4.find_route(parse_ip("10.2.254.1")->v4());
  ASSERT_NE(gateway, nullptr);
  EXPECT_EQ(gateway->via.host(), 0u) << "it is on the link";
  EXPECT_EQ(gateway->interface, 1);
  const auto* behind = snapshot_->v4.find_route(parse_ip("10.2.0.10")->v4());
  ASSERT_NE(behind, nullptr);
  EXPECT_EQ(net::IpAddress(behind->via), parse_ip("10.2.254.1"));
}

TEST_F(SnapshotOfBothFamilies, AVipIsSilentOnlyIfNoneOfItsServicesWantsEcho) {
  EXPECT_FALSE(snapshot_->v6.is_echo_silent(ip6("fd00:3::1"))) << "6-to-4 wants it";
  EXPECT_TRUE(snapshot_->v4.is_echo_silent(parse_ip("10.3.0.1")->v4()));
  EXPECT_FALSE(snapshot_->v4.is_echo_silent(parse_ip("10.2.128.1")->v4()));
}

TEST_F(SnapshotOfBothFamilies, SynsAreLookedAtWhereFamiliesDiffer) {
  EXPECT_TRUE(snapshot_->mss_clamp);
  Config alike = config_;
  alike.services.erase(alike.services.begin());
  alike.services.pop_back();
  const auto registry = std::make_unique<Registry>();
  Identities identities{{registry.get()}, net::Random({1, 2}), steering_};
  identities.adopt(alike, 0);
  const auto snapshot = build_snapshot(alike, weights_of(alike, {}), {}, identities,
                                       {{0, kClientMac}, {1, kServerMac}}, 1);
  EXPECT_FALSE(snapshot->mss_clamp) << "what is left is 6-to-6";
}

TEST_F(SnapshotOfBothFamilies, ServicesAndPoolsAreOfTheirFamilies) {
  EXPECT_NE(snapshot_->service_at(net::Protocol::kTcp, at("[fd00:3::1]:80")), kNoId);
  EXPECT_NE(snapshot_->service_at(net::Protocol::kUdp, at("[fd00:3::1]:53")), kNoId);
  EXPECT_NE(snapshot_->service_at(net::Protocol::kTcp, at("10.3.0.1:80")), kNoId);
  EXPECT_NE(snapshot_->pool_at(net::Protocol::kTcp, *parse_ip("10.2.128.1"), at("10.2.0.10:80")),
            kNoPool);
  for (const char* local : {"fd00:2::11", "fd00:2::12"}) {
    EXPECT_NE(snapshot_->pool_at(net::Protocol::kUdp, *parse_ip(local), at("[fd00:2::10]:53")),
              kNoPool);
    EXPECT_TRUE(snapshot_->is_local(*parse_ip(local)));
  }
  EXPECT_EQ(snapshot_->source_fault(*parse_ip("fd00:2::10"), 0), SourceFault::kMisplaced);
}

}  // namespace
}  // namespace sluice::control
