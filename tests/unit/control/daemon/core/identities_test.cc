// SPDX-License-Identifier: BSD-3-Clause
// Identities across reloads: what stays, what lingers, what goes, and the snapshots made of it.
#include "control/daemon/core/identities.h"

#include <gtest/gtest.h>

#include "control/config/config_load.h"
#include "control/daemon/core/reload.h"
#include "control/daemon/core/snapshot_builder.h"
#include "tests/unit/sanitized.h"

namespace sluice::control {
namespace {

constexpr uint64_t kRestMs = 70'000;

// Two interfaces, one local address for each number, one service for each list of backends.
Config make_config(std::vector<std::string> locals,
                   std::vector<std::pair<std::string, std::vector<std::string>>> services) {
  std::string text = R"(
[[interface]]
name = "client"
device = "net_null0"
addresses = ["10.1.255.254/16"]
[[interface]]
name = "server"
device = "net_null1"
addresses = ["10.2.255.254/16", "10.2.128.254/24"]
[[route]]
to = "0.0.0.0/0"
via = "10.1.255.1"
[[route]]
to = "10.9.0.0/16"
via = "10.2.128.1"
[[local_pool]]
ports = "1000-1009"
addresses = [)";
  for (const std::string& local : locals) text += "\"" + local + "\",";
  text += "]\n";
  for (const auto& [vip, backends] : services) {
    text += "[[service]]\nname = \"s-" + vip + "\"\nvip = \"" + vip + "\"\n";
    for (const std::string& backend : backends) {
      text += "[[service.backend]]\naddress = \"" + backend + "\"\n";
    }
  }
  const LoadedConfig loaded = parse_config(text);
  EXPECT_TRUE(loaded.ok()) << describe(loaded.problems, "text");
  return loaded.config;
}

class Keeper : public testing::Test {
 protected:
  IpEndpoint at(const char* text) { return *parse_endpoint(text); }
  net::Ipv4Address ip(const char* text) { return parse_ip(text)->v4(); }
  BackendState& backend(const char* vip, const char* address) {
    return *registry_->backends
                [identities_.backends().at({{net::Protocol::kTcp, at(vip)}, at(address)}).id];
  }
  std::unique_ptr<Snapshot> build(const Config& config) {
    return build_snapshot(config, weights_of(config, runtime_), runtime_.drain, identities_,
                          {{3, {}}, {1, {}}}, 1);
  }

  std::unique_ptr<Registry> registry_ = std::make_unique<Registry>();
  RuntimeState runtime_;
  Steering alone_;
  Identities identities_{{registry_.get()}, net::Random({1, 2}), alone_};
  Config one_ = make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80", "10.2.0.11:80"}}});
};

TEST_F(Keeper, MakesStateForEverythingThatIsNamed) {
  identities_.adopt(one_, 0);
  ASSERT_EQ(identities_.services().size(), 1u);
  ASSERT_EQ(identities_.backends().size(), 2u);
  ASSERT_EQ(identities_.pools().size(), 2u);
  for (const auto& [key, pool] : identities_.pools()) {
    EXPECT_EQ(registry_->pools[pool.id]->local, key.local);
    EXPECT_EQ(registry_->pools[pool.id]->backend, key.backend);
    EXPECT_EQ(registry_->pools[pool.id]->ports.set().size(), 10u);
  }
}

TEST_F(Keeper, WhatStaysKeepsItsState) {
  identities_.adopt(one_, 0);
  BackendState* state = &backend("10.3.0.1:80", "10.2.0.10:80");
  state->connections.add(5);
  identities_.adopt(
      make_config({"10.2.0.1", "10.2.0.2"}, {{"10.3.0.1:80", {"10.2.0.10:80", "10.2.0.12:80"}},
                                             {"10.3.0.2:80", {"10.2.0.10:80"}}}),
      1000);
  EXPECT_EQ(&backend("10.3.0.1:80", "10.2.0.10:80"), state);
  EXPECT_EQ(state->connections.value(), 5u);
  EXPECT_NE(&backend("10.3.0.2:80", "10.2.0.10:80"), state);
  EXPECT_EQ(identities_.backends().size(), 4u);
  EXPECT_EQ(identities_.pools().size(), 5u);  // 10 and 12 from both addresses, 11 lingers
}

TEST_F(Keeper, BackendsOfAServiceAreItsOwn) {
  identities_.adopt(make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80", "10.2.0.11:80"}},
                                               {"10.3.0.2:80", {"10.2.0.10:80"}},
                                               {"10.3.0.4:80", {"10.2.0.9:80"}}}),
                    0);
  const auto count_of = [&](const char* vip) {
    const auto backends = identities_.backends_of({net::Protocol::kTcp, at(vip)});
    return std::distance(backends.begin(), backends.end());
  };
  EXPECT_EQ(count_of("10.3.0.1:80"), 2);
  EXPECT_EQ(count_of("10.3.0.2:80"), 1);
  EXPECT_EQ(count_of("10.3.0.3:80"), 0);
  EXPECT_EQ(count_of("10.3.0.4:80"), 1);
  EXPECT_EQ(count_of("10.3.0.5:80"), 0);
  identities_.adopt(one_, 0);
  EXPECT_EQ(count_of("10.3.0.2:80"), 1) << "removed ones linger";
}

TEST_F(Keeper, ServicesShareTheTuplesOfABackendInCommon) {
  const Config config = make_config(
      {"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80"}}, {"10.3.0.2:80", {"10.2.0.10:80"}}});
  identities_.adopt(config, 0);
  const auto snapshot = build(config);
  EXPECT_EQ(identities_.pools().size(), 1u);
  const PathId first = snapshot->services[0].backends[0].paths.at(0);
  const PathId second = snapshot->services[1].backends[0].paths.at(0);
  EXPECT_EQ(registry_->paths[first].pool, registry_->paths[second].pool);
  EXPECT_EQ(registry_->paths[first].backend, &backend("10.3.0.1:80", "10.2.0.10:80"));
  EXPECT_EQ(registry_->paths[second].backend, &backend("10.3.0.2:80", "10.2.0.10:80"));
  EXPECT_EQ(snapshot->services[0].backends[0].sharers, 2u);
}

TEST_F(Keeper, TheRemovedLingersWhileFlowsUseIt) {
  identities_.adopt(one_, 0);
  BackendState& state = backend("10.3.0.1:80", "10.2.0.11:80");
  const PoolId id =
      identities_.pools().at({net::Protocol::kTcp, ip("10.2.0.1"), at("10.2.0.11:80")}).id;
  state.flows.add();
  registry_->pools[id]->flows.add();
  identities_.adopt(make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80"}}}), 0);
  EXPECT_TRUE(identities_.backends()
                  .at({{net::Protocol::kTcp, at("10.3.0.1:80")}, at("10.2.0.11:80")})
                  .removed);
  EXPECT_TRUE(identities_.finished(1'000'000, kRestMs).empty());

  state.flows.subtract();
  registry_->pools[id]->flows.subtract();
  auto finished = identities_.finished(1'000'001, kRestMs);
  EXPECT_EQ(finished.backends.size(), 1u);
  EXPECT_TRUE(finished.pools.empty());  // its ports may rest for TIME_WAIT
  identities_.free(identities_.forget(finished));
  finished = identities_.finished(1'000'001 + kRestMs, kRestMs);
  EXPECT_EQ(finished.pools.size(), 1u);
  identities_.free(identities_.forget(finished));
  EXPECT_EQ(registry_->pools[id], nullptr);
  EXPECT_EQ(identities_.pools().size(), 1u);
}

// A service leaves an address that another one still uses towards the same backend.
TEST_F(Keeper, APathLingersWhileFlowsUseIt) {
  auto with = [](const char* local_pool) {
    Config config = make_config(
        {"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80"}}, {"10.3.0.2:80", {"10.2.0.10:80"}}});
    config.local_pools.push_back({"other", {*parse_ip("10.2.0.2")}, {1000, 1009}});
    config.services[0].local_pool = local_pool;
    return config;
  };
  identities_.adopt(with("default"), 0);
  const PathKey key{{{net::Protocol::kTcp, at("10.3.0.1:80")}, at("10.2.0.10:80")}, ip("10.2.0.1")};
  const PathEntry path = identities_.paths().at(key);
  registry_->paths[path.id].pool->flows.add();
  registry_->paths[path.id].backend->flows.add();
  identities_.adopt(with("other"), 0);
  EXPECT_EQ(identities_.paths().size(), 3u);
  EXPECT_TRUE(identities_.paths().at(key).removed);
  EXPECT_TRUE(identities_.finished(1'000'000, kRestMs).empty());

  registry_->paths[path.id].backend->flows.subtract();
  const auto finished = identities_.finished(1'000'000, kRestMs);
  EXPECT_EQ(finished.paths, std::vector<PathKey>{key});
  EXPECT_TRUE(finished.pools.empty());
  identities_.free(identities_.forget(finished));
  EXPECT_EQ(registry_->paths[path.id].pool, nullptr);
  identities_.adopt(with("default"), 0);
  EXPECT_EQ(identities_.paths().at(key).id, path.id);
  EXPECT_EQ(registry_->paths[path.id].pool, registry_->pools[path.pool]);
}

// What comes back after its pool was freed must not find the freed one.
TEST_F(Keeper, PathsGoWithTheirPoolsAndBackends) {
  identities_.adopt(one_, 0);
  const Config next = make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80"}}});
  identities_.adopt(next, 0);
  identities_.free(identities_.forget(identities_.finished(kRestMs + 1, kRestMs)));
  EXPECT_EQ(identities_.paths().size(), 1u);
  identities_.adopt(one_, 0);
  for (const auto& [key, path] : identities_.paths()) {
    EXPECT_EQ(registry_->paths[path.id].pool, registry_->pools[path.pool]);
    EXPECT_EQ(registry_->paths[path.id].backend, registry_->backends[path.backend]);
    EXPECT_EQ(registry_->paths[path.id].pool->backend, key.backend.address);
  }
}

TEST_F(Keeper, AHundredThousandBackendsHaveAPlaceEach) {
  Config config = one_;
  config.services.clear();
  for (uint32_t i = 0; i < 100; ++i) {
    ServiceConfig service = one_.services[0];
    service.vip = {net::Ipv4Address::from_host(0x0a030000 + i), net::be16::from_host(80)};
    service.backends.resize(1000);
    for (uint32_t b = 0; b < service.backends.size(); ++b) {
      service.backends[b].address = {net::Ipv4Address::from_host(0x0a020000 + 1000 * i + b),
                                     net::be16::from_host(80)};
    }
    config.services.push_back(std::move(service));
  }
  identities_.adopt(config, 0);
  const auto snapshot = build(config);
  const BackendView& last = snapshot->services.back().backends.back();
  EXPECT_EQ(registry_->paths[last.paths.at(0)].backend, registry_->backends[last.id]);
  EXPECT_EQ(registry_->backends[last.id]->id, last.id);
  EXPECT_EQ(registry_->paths[last.paths.at(0)].pool->backend, last.address);
  EXPECT_EQ(identities_.backends().size(), 100'000u);
}

TEST_F(Keeper, APortInUseKeepsItsPool) {
  identities_.adopt(one_, 0);
  const auto id =
      identities_.pools().at({net::Protocol::kTcp, ip("10.2.0.1"), at("10.2.0.11:80")}).id;
  registry_->pools[id]->ports.counters().in_use.add();
  identities_.adopt(make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80"}}}), 0);
  EXPECT_TRUE(identities_.finished(1'000'000, kRestMs).pools.empty());
}

TEST_F(Keeper, TheRemovedThatComesBackIsTheSame) {
  identities_.adopt(one_, 0);
  BackendState* state = &backend("10.3.0.1:80", "10.2.0.11:80");
  identities_.adopt(make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80"}}}), 0);
  identities_.adopt(one_, 0);
  EXPECT_EQ(&backend("10.3.0.1:80", "10.2.0.11:80"), state);
  EXPECT_TRUE(identities_.finished(1'000'000, kRestMs).empty());
}

TEST_F(Keeper, AServiceGoesAfterItsBackends) {
  identities_.adopt(one_, 0);
  identities_.adopt(make_config({"10.2.0.1"}, {{"10.3.0.2:80", {"10.2.0.10:80"}}}), 0);
  auto finished = identities_.finished(1, kRestMs);
  EXPECT_EQ(finished.backends.size(), 2u);
  EXPECT_TRUE(finished.services.empty());
  identities_.free(identities_.forget(finished));
  finished = identities_.finished(2, kRestMs);
  EXPECT_EQ(finished.services.size(), 1u);
  identities_.free(identities_.forget(finished));
  EXPECT_EQ(identities_.services().size(), 1u);
}

TEST_F(Keeper, OtherPortsForALingeringAddressAreRefusedAndNothingChanges) {
  identities_.adopt(one_, 0);
  Config next = one_;
  next.local_pools[0].ports = {2000, 3000};
  next.services[0].backends.pop_back();
  EXPECT_THROW(identities_.adopt(next, 0), ApplyError);
  for (const auto& [key, entry] : identities_.backends()) EXPECT_FALSE(entry.removed);
}

TEST_F(Keeper, MoreThanThereIsRoomForIsRefused) {
  Config config = one_;
  config.services.clear();
  for (uint32_t i = 0; i < Registry::kServices + 1; ++i) {
    ServiceConfig service = one_.services[0];
    service.vip = {net::Ipv4Address::from_host(0x0a030000 + i), net::be16::from_host(80)};
    config.services.push_back(service);
  }
  EXPECT_THROW(identities_.adopt(config, 0), ApplyError);
  EXPECT_TRUE(identities_.services().empty());
}

TEST_F(Keeper, IdsAreUsedAgain) {
  identities_.adopt(one_, 0);
  Config config = make_config({"10.2.0.1"}, {{"10.3.1.1:80", {"10.2.0.10:80"}}});
  for (int i = 0; i < sluice::test::rounds(2000); ++i) {
    config.services[0].vip = at(("10.3.1." + std::to_string(i % 200 + 1) + ":80").c_str());
    identities_.adopt(config, 0);
    identities_.free(identities_.forget(identities_.finished(0, 0)));
    identities_.free(identities_.forget(identities_.finished(0, 0)));
  }
  EXPECT_LE(identities_.services().begin()->second.id, 2);
}

TEST_F(Keeper, TheSnapshotSaysWhatTheConfigurationSays) {
  Config config = one_;
  config.services[0].backends[1].weight = 0;
  config.time_wait.backend_time = std::chrono::seconds(30);
  identities_.adopt(config, 0);
  const auto snapshot = build(config);
  ASSERT_EQ(snapshot->interfaces.size(), 2u);
  EXPECT_EQ(snapshot->interfaces[0].port, 3);
  EXPECT_EQ(snapshot->interface_of_port.at(3), 0);
  EXPECT_EQ(snapshot->interface_of_port.at(1), 1);
  EXPECT_EQ(snapshot->interface_of_port.at(0), kNoId);
  EXPECT_EQ(snapshot->reuse.time_wait_ms, 30'000u);

  const Route* route = snapshot->v4.find_route(ip("10.9.1.1"));
  ASSERT_NE(route, nullptr);
  EXPECT_EQ(route->via, ip("10.2.128.1"));
  EXPECT_EQ(route->interface, 1);
  EXPECT_EQ(route->source, ip("10.2.128.254"));  // the narrowest network that has the gateway
  EXPECT_EQ(snapshot->v4.find_route(ip("10.2.0.10"))->via, net::Ipv4Address{});
  EXPECT_EQ(snapshot->v4.find_route(ip("192.0.2.1"))->interface, 0);

  const ServiceView* service =
      snapshot->find_service(snapshot->service_at(net::Protocol::kTcp, at("10.3.0.1:80").v4()));
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->wrr_order, std::vector<uint16_t>{0});
  EXPECT_EQ(service->backends[1].weight, 0u);
  EXPECT_TRUE(snapshot->is_own(ip("10.3.0.1"), 0));
  EXPECT_TRUE(snapshot->is_local(ip("10.2.0.1")));
}

TEST_F(Keeper, AddressesOfWhatLingersStayOurs) {
  identities_.adopt(one_, 0);
  backend("10.3.0.1:80", "10.2.0.10:80").flows.add();
  const Config next = make_config({"10.2.0.2"}, {{"10.3.0.2:80", {"10.2.0.12:80"}}});
  identities_.adopt(next, 0);
  const auto snapshot = build(next);
  EXPECT_TRUE(snapshot->is_own(ip("10.3.0.1"), 0));
  EXPECT_TRUE(snapshot->is_local(ip("10.2.0.1")));
  EXPECT_EQ(
      snapshot->find_service(snapshot->service_at(net::Protocol::kTcp, at("10.3.0.1:80").v4())),
      nullptr);
}

TEST(Reload, NamesWhatNeedsARestart) {
  const Config now = make_config({"10.2.0.1"}, {{"10.3.0.1:80", {"10.2.0.10:80", "10.2.0.11:80"}}});
  EXPECT_TRUE(keys_that_need_restart(now, now).empty());

  Config live = make_config({"10.2.0.2"}, {{"10.3.0.2:80", {"10.2.0.12:80"}}});
  live.time_wait.backend_time = std::chrono::seconds(5);
  live.tcp_timeouts.closed = std::chrono::seconds(5);
  live.control.log_level = LogLevel::kDebug;
  live.interfaces[0].addresses = {*parse_prefix("10.7.0.1/16")};
  live.local_pools[0].ports = {1, 2};  // of an address that was not there before
  EXPECT_TRUE(keys_that_need_restart(now, live).empty());

  Config fixed = now;
  fixed.eal.memory_mb = 64;
  fixed.control.socket = "/x";
  fixed.interfaces.pop_back();
  fixed.limits.flows_per_worker = 64;
  fixed.limits.flow_index = FlowIndexKind::kCompact;
  fixed.local_pools[0].ports = {1, 2};
  EXPECT_EQ(
      keys_that_need_restart(now, fixed),
      (std::vector<std::string>{
          "eal.memory_mb", "control.socket", "interface.name", "interface.device",
          "interface.members", "interface.mtu", "interface.vlan", "interface.outer_vlan",
          "interface.kernel", "limits.flows_per_worker", "limits.flow_index", "local_pool.ports"}));
}

}  // namespace
}  // namespace sluice::control
