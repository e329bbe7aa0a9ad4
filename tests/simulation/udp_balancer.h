// SPDX-License-Identifier: BSD-3-Clause
// The core that a worker runs, with two UDP services, between simulated links.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "dataplane/stage/core.h"
#include "tests/families/families.h"
#include "tests/simulation/clock.h"
#include "tests/simulation/rng.h"
#include "tests/simulation/udp_wire.h"

namespace sluice::sim {

inline constexpr uint32_t kUdpVip = 0x0a030001;
inline constexpr uint16_t kOneShotPort = 53;
inline constexpr uint16_t kConversationPort = 443;
inline constexpr uint32_t kUdpBackends = 3;
inline constexpr uint32_t kUdpBackendFirst = 0x0a02000a;  // each serves both ports
inline constexpr uint32_t kUdpIdleMs = 30'000;

class UdpBalancer {
 public:
  using Emit = std::function<void(bool to_client, std::span<const uint8_t> frame)>;

  UdpBalancer(Rng& rng, Emit emit);
  ~UdpBalancer();

  void receive(bool from_client, std::span<const uint8_t> frame, TimeUs now);
  void housekeeping(TimeUs now);
  /// Every other configuration lacks the last backend.
  void reload();
  const uint8_t* mac(bool of_clients) const { return macs_[of_clients ? 0 : 1].bytes.data(); }

  uint64_t flow_count() const { return core_->flows.flow_count(); }
  uint64_t ports_in_use() const;
  uint64_t drops(net::DropReason reason) const;
  uint64_t events(Event event) const;
  int64_t unaccounted() const;

 private:
  static uint16_t transmit(void* self, uint16_t port, rte_mbuf** packets, uint16_t count);
  std::unique_ptr<Snapshot> make_snapshot() const;
  void learn(TimeUs now);
  void pass(std::span<const uint8_t> frame, uint16_t interface);

  const test::Families families_ = test::families_of_run();
  Emit emit_;
  net::MacAddress macs_[2] = {{{2, 0, 0, 0, 0, 1}}, {{2, 0, 0, 0, 0, 2}}};
  rte_mempool* packets_;
  uint64_t generation_ = 0;
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<Core> core_;
};

}  // namespace sluice::sim
