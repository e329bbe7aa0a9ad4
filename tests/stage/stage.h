// SPDX-License-Identifier: BSD-3-Clause
// The real Core between a client's link and a backends' link that are both made up.
//
//   10.1.0.0/16 --- [0] 10.1.255.254   Sluice   10.2.0.254 [1] --- 10.2.0.0/24
//   clients             VIP 10.3.0.1:80         locals 10.2.0.1..    backends 10.2.0.10..:8080
//
// Frames go in as bursts, what comes out is captured; time stands still unless a test moves it.
// With SLUICE_FAMILIES the core speaks IPv6 on one side or both, and the same tests hold
// (families.h).
// When a test ends, time runs until all is over: then no buffer, flow, port or slot may be missing.
#pragma once

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/stage/core.h"
#include "dataplane/stage/pipeline.h"
#include "tests/families/families.h"
#include "tests/simulation/kept_arena.h"
#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::test {

inline constexpr uint8_t kFin = net::tcp_flag::kFin | net::tcp_flag::kAck;
inline constexpr uint8_t kSyn = net::tcp_flag::kSyn;
inline constexpr uint8_t kSynAck = net::tcp_flag::kSyn | net::tcp_flag::kAck;
inline constexpr uint8_t kRst = net::tcp_flag::kRst;
inline constexpr uint8_t kRstAck = net::tcp_flag::kRst | net::tcp_flag::kAck;
inline constexpr uint8_t kAck = net::tcp_flag::kAck;

inline const net::Ipv4Endpoint kVip = endpoint(ip4(10, 3, 0, 1), 80);
inline const net::Ipv4Endpoint kClient = endpoint(ip4(10, 1, 0, 1), 40000);
inline const net::Ipv4Endpoint kBackend = endpoint(ip4(10, 2, 0, 10), 8080);
inline constexpr uint16_t kClientLink = 0;
inline constexpr uint16_t kBackendLink = 1;

/// The MAC address that a made-up host has.
inline net::MacAddress host_mac(net::Ipv4Address ip) {
  return {{2, 0, 0, 1, static_cast<uint8_t>(ip.host() >> 8), static_cast<uint8_t>(ip.host())}};
}

/// A frame that left.
struct Sent {
  uint16_t port;
  Bytes frame;
  Bytes raw = {};  // as it left, in whatever family

  bool is_arp() const { return get16(frame, 12) == 0x0806; }
  bool is_announcement() const {
    return is_arp() && get32(frame, kIpAt + 14) == get32(frame, kIpAt + 24);
  }
  net::MacAddress to_mac() const;
  net::Ipv4Endpoint from() const {
    return endpoint(net::be32::from_host(get32(frame, kIpAt + 12)), get16(frame, kTcpAt));
  }
  net::Ipv4Endpoint to() const {
    return endpoint(net::be32::from_host(get32(frame, kIpAt + 16)), get16(frame, kTcpAt + 2));
  }
  uint32_t sequence() const { return get32(frame, kTcpAt + 4); }
  uint32_t acknowledgement() const { return get32(frame, kTcpAt + 8); }
  uint8_t flags() const { return frame[kTcpAt + 13]; }
  /// 0 and false where the segment has none.
  SynNumbers numbers() const;
  uint32_t tsecr() const;
};

struct Scene {
  ReusePolicy reuse = ReusePolicy::kRebase;
  PortRange ports = {2000, 2015};
  uint8_t locals = 1;
  uint8_t backends = 1;
  SchedulerKind scheduler = SchedulerKind::kRoundRobin;
  OnRefusal on_refusal = OnRefusal::kReset;
  bool reset_on_timeout = true;
  bool rewrite_timestamps = false;
  bool mss_clamp = false;
  std::optional<ProxyForm> proxy = {};
  bool toa = false;
  SynCookieMode syn_cookies = SynCookieMode::kNever;
  bool icmp_echo = true;
  net::Protocol protocol = net::Protocol::kTcp;
  uint32_t udp_idle_ms = kDefaultUdpIdleMs;
  bool udp_one_shot = false;
  bool udp_refresh_both = true;
  uint16_t client_mtu = 1500;
  uint16_t backend_mtu = 1500;
  CoreLimits limits = {64, 64, 64};
  TcpTimeouts timeouts_ms = kDefaultTcpTimeouts;
  uint64_t end_ms = 8'000'000;  // beyond every timeout
  bool keeps = false;           // so that there can be a start_again()
};

/// What makes a stage's core one worker of several.
struct Joined {
  const Rings* rings = nullptr;
  Steering* steering = nullptr;
  uint32_t worker = 0;
};

class Stage : public testing::Test {
 protected:
  void TearDown() override;

  /// To be called first.
  void start(const Scene& scene = {}, const Joined& joined = {});
  /// Another core, in the next process, that takes over what this one has left at this instant.
  void start_again(const Scene& scene, uint32_t clock_shift_ms = 0);
  std::unique_ptr<Snapshot> make_snapshot(const Scene& scene);
  void adopt(std::unique_ptr<Snapshot> next);

  // What goes in. Each call is one burst, after which `sent` holds what came out.
  void burst(uint16_t interface, const std::vector<Bytes>& frames);
  void flush();
  void from_client(const Tcp& tcp) { burst(kClientLink, {tcp_frame(tcp)}); }
  void from_backend(const Tcp& tcp) { burst(kBackendLink, {tcp_frame(tcp)}); }
  /// Segments with all but the numbers filled in; from `client_` to the VIP, from the backend to
  /// `local_`.
  Tcp inbound(uint8_t flags, uint32_t sequence, uint32_t acknowledgement = 0,
              const Bytes& options = {}) const;
  Tcp outbound(uint8_t flags, uint32_t sequence, uint32_t acknowledgement = 0,
               const Bytes& options = {}) const;

  // What came out.
  /// Takes the only frame out of `sent`; it must be TCP with right checksums, on the right link.
  Sent only(uint16_t port);
  void expect_nothing() {
    EXPECT_TRUE(sent.empty()) << sent.size() << " frames sent";
    sent.clear();
  }

  // Connections of `client_`. After each of these nothing is left in `sent`.
  /// Sends a SYN and sets `local_` and `backend_` by where it came out.
  Sent open(uint32_t sequence, const Bytes& options = {});
  void establish(uint32_t client_isn, uint32_t backend_isn, const Bytes& options = {});
  void close_by_backend(uint32_t client_next, uint32_t backend_next,
                        const Bytes& client_options = {});
  void close_by_client(uint32_t client_next, uint32_t backend_next);
  /// The next connection comes from another client port.
  void next_client() {
    client_.port = net::be16::from_host(static_cast<uint16_t>(client_.port.host() + 1));
  }

  /// Lets time pass in steps, with housekeeping.
  void pass(uint64_t ms, uint64_t step = 10);

  uint64_t drops(net::DropReason reason) const {
    return core->counters.drops[static_cast<size_t>(reason)].value();
  }
  uint64_t events(Event event) const {
    return core->counters.events[static_cast<size_t>(event)].value();
  }
  PoolState& pool(size_t i = 0) { return *core->registry.pools[i]; }
  BackendState& backend(size_t i = 0) { return *core->registry.backends[i]; }
  ServiceState& service() { return *core->registry.services[0]; }
  /// Index of the flow of `client_`, or FlowTable::kNone.
  uint32_t flow() const {
    return core->flow_of_client(net::Protocol::kTcp, seen_by_core(client_), seen_by_core(kVip));
  }
  /// An end on the clients' side, in the family of this run.
  net::Endpoint seen_by_core(const net::Endpoint& end) const {
    return endpoint_in(families_.v6_clients, end);
  }
  FlowState state() const;

  std::vector<KeptSource> sources;  // what start_again() was given
  std::unique_ptr<Core> core;
  std::unique_ptr<Snapshot> snapshot;
  std::vector<Sent> sent;
  net::Ipv4Endpoint client_ = kClient;
  net::Ipv4Endpoint local_{};
  net::Ipv4Endpoint backend_ = kBackend;
  bool keep_announcements = false;
  bool answer_arp = true;    // hosts answer at once, and ARP does not show in `sent`
  uint16_t cut_at = 0;       // bytes, after which a frame that goes in is in a second buffer
  uint16_t tx_room = 65535;  // what the device takes of each transmit
  Families families_ = families_of_run();
  bool as_ipv4 = true;  // false: `sent` shows frames of IPv6 as they left

 private:
  static uint16_t transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count);
  void answer_arp_requests();

  KeptSource left_by(const Scene& scene);

  std::unique_ptr<sim::KeptArena> kept_, left_;
  std::vector<KeptPath> names_;
  std::vector<KeptSource::Path> paths_;
  Scene scene_;
  unsigned buffers_at_start_ = 0;
};

rte_mempool* packet_pool();
/// What SLUICE_FLOW_INDEX names; without it the compact one.
FlowIndexKind flow_index_of_run();
/// Expects as many free buffers as there were before; workers that are joined share them.
void expect_all_buffers(unsigned count);

#define EXPECT_DROP(reason, ...)                                       \
  do {                                                                 \
    const uint64_t before_ = drops(net::DropReason::reason);           \
    __VA_ARGS__;                                                       \
    EXPECT_EQ(drops(net::DropReason::reason), before_ + 1) << #reason; \
  } while (false)

}  // namespace sluice::test
