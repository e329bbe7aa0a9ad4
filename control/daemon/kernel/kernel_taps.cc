// SPDX-License-Identifier: BSD-3-Clause
// Between rings and taps.
#include "control/daemon/kernel/kernel_taps.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "control/config/link_addresses.h"
#include "control/daemon/kernel/rtnetlink.h"
#include "control/host/preflight.h"

namespace sluice::control {
namespace {

constexpr std::chrono::microseconds kIdlePeriod{1000};
constexpr std::chrono::microseconds kBusyPeriod{100};
constexpr int64_t kBusyForMs = 20;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             EventLoop::Clock::now().time_since_epoch())
      .count();
}

std::string kernel_name(const Config& config, const KernelInterface& interface) {
  return config.interfaces[interface.index].kernel;
}

}  // namespace

KernelTaps::KernelTaps(EventLoop& loop, const Config& config,
                       std::vector<KernelInterface> interfaces, rte_mempool* packets)
    : loop_(loop), config_(config), packets_(packets) {
  for (KernelInterface& interface : interfaces) {
    taps_.push_back({std::move(interface), nullptr});
    TapPort& port = taps_.back();
    const InterfaceConfig& own = config_.interfaces[port.interface.index];
    try {
      make(port);
    } catch (const std::exception& error) {
      throw StartError(
          fmt::format("interface {}: kernel \"{}\": {}", own.name, own.kernel, error.what()));
    }
    silence(port);
  }
  if (!taps_.empty()) look_again();
}

void KernelTaps::silence(const TapPort& port) const {
  const InterfaceConfig& own = config_.interfaces[port.interface.index];
  const auto peer = kernel_interface_of(own.device);
  if (!peer) return;
  const std::string check_error = mute(*peer);
  if (check_error.empty()) return;
  spdlog::warn("interface {}: the kernel sees packets twice, at {} and at {}: {}", own.name, *peer,
               own.kernel, check_error);
}

void KernelTaps::renew(const KernelInterface& interface) {
  for (TapPort& port : taps_) {
    if (port.interface.index != interface.index) continue;
    port.interface.mac = interface.mac;
    port.interface.mtu = interface.mtu;
    silence(port);
    try {
      if (port.tap) bring_up(port.tap->name(), interface.mac, interface.mtu);
    } catch (const std::exception& error) {
      spdlog::error("kernel {}: {}", port.tap->name(), error.what());
    }
  }
}

KernelTaps::~KernelTaps() {
  for (const TapPort& port : taps_) {
    if (port.tap) loop_.forget(port.tap->fd());
  }
}

void KernelTaps::make(TapPort& port) {
  const InterfaceConfig& own = config_.interfaces[port.interface.index];
  port.tap = std::make_unique<KernelTap>(own.kernel, port.interface.mac, port.interface.mtu,
                                         all_addresses(own, port.interface.mac),
                                         routes_through(config_, port.interface.index));
  // Edge-triggered: what an iteration's budget leaves there is fetched by the timer.
  loop_.watch(
      port.tap->fd(), EPOLLIN | EPOLLET, [this](uint32_t) { poll(); }, "a tap");
}

void KernelTaps::apply(const Config& config) {
  config_ = config;
  for (TapPort& port : taps_) {
    if (!port.tap) continue;
    try {
      const InterfaceConfig& own = config_.interfaces[port.interface.index];
      port.tap->configure(all_addresses(own, port.interface.mac),
                          routes_through(config_, port.interface.index));
    } catch (const std::exception& error) {
      spdlog::error("kernel {}: {}", port.tap->name(), error.what());
    }
  }
}

void KernelTaps::tick() {
  for (TapPort& port : taps_) {
    if (port.tap && !port.tap->is_gone()) {
      keep_mac(port);
      continue;
    }
    const std::string name = kernel_name(config_, port.interface);
    if (port.tap) {
      spdlog::warn("kernel {}: somebody deleted the tap; making it again", name);
      loop_.forget(port.tap->fd());
      port.tap.reset();
    }
    try {
      make(port);
      spdlog::info("kernel {}: the tap is there again", name);
    } catch (const std::exception& error) {
      spdlog::error("kernel {}: {}", name, error.what());
    }
  }
}

// The host may give a new interface a MAC of its own (udev's MACAddressPolicy), and neighbours
// would answer the kernel at one that Sluice does not have.
void KernelTaps::keep_mac(const TapPort& port) {
  if (port.tap->has_mac(port.interface.mac)) return;
  spdlog::warn("kernel {}: somebody gave the tap another MAC; giving it the port's again",
               port.tap->name());
  try {
    bring_up(port.tap->name(), port.interface.mac, port.interface.mtu);
  } catch (const std::exception& error) {
    spdlog::error("kernel {}: {}", port.tap->name(), error.what());
  }
}

void KernelTaps::poll() {
  const int64_t now = now_ms();
  if (now != budget_ms_) {
    for (TapPort& port : taps_) port.to_kernel_left = kToKernelPerMs;
    budget_ms_ = now;
  }
  bool moved = false;
  for (TapPort& port : taps_) {
    moved |= to_kernel(port);
    moved |= to_port(port);
  }
  if (moved) moved_ms_ = now;
  const bool busy = now - moved_ms_ < kBusyForMs;
  if (std::exchange(busy_, busy) != busy) look_again();
}

bool KernelTaps::to_kernel(TapPort& port) {
  bool moved = false;
  std::array<rte_mbuf*, kToKernelPerMs> packets;
  for (KernelRings* ring : port.interface.rings) {
    const unsigned count = ring->collect(packets.data(), port.to_kernel_left);
    port.to_kernel_left -= count;
    moved |= count > 0;
    for (unsigned i = 0; i < count; ++i) {
      // What the kernel does not take it has counted itself, at the tap.
      if (port.tap) port.tap->write({rte_pktmbuf_mtod(packets[i], uint8_t*), packets[i]->data_len});
    }
    rte_pktmbuf_free_bulk(packets.data(), count);
  }
  return moved;
}

bool KernelTaps::to_port(TapPort& port) {
  if (!port.tap) return false;
  KernelRings& rings = *port.interface.rings.front();
  std::array<rte_mbuf*, kToPortPerIteration> packets;
  // What does not fit stays with the kernel, whose queue is there for that.
  const unsigned room = std::min(rings.room(), kToPortPerIteration);
  unsigned count = 0;
  while (count < room) {
    rte_mbuf* packet = rte_pktmbuf_alloc(packets_);
    if (packet == nullptr) break;
    const size_t length =
        port.tap->read({rte_pktmbuf_mtod(packet, uint8_t*), rte_pktmbuf_tailroom(packet)});
    if (length == 0) {
      rte_pktmbuf_free(packet);
      break;
    }
    packet->data_len = static_cast<uint16_t>(length);
    packet->pkt_len = static_cast<uint32_t>(length);
    packets[count++] = packet;
  }
  const unsigned posted = count == 0 ? 0 : rings.post(packets.data(), count);
  if (posted < count) rte_pktmbuf_free_bulk(&packets[posted], count - posted);
  return count > 0;
}

void KernelTaps::look_again() {
  const auto look = [this] {
    poll();
    look_again();
  };
  timer_ = loop_.after(busy_ ? kBusyPeriod : kIdlePeriod, look, "the taps' timer");
}

}  // namespace sluice::control
