// SPDX-License-Identifier: BSD-3-Clause
// An eventfd behind the callbacks of ethdev and of buses.
#include "dataplane/port/port_events.h"

#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "dataplane/port/dpdk_error.h"

namespace sluice {
namespace {

constexpr uint8_t kReset = 1, kRemoved = 2;
constexpr rte_eth_event_type kEvents[] = {RTE_ETH_EVENT_INTR_LSC, RTE_ETH_EVENT_INTR_RESET,
                                          RTE_ETH_EVENT_INTR_RMV};

// DPDK calls a bus's events experimental.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
/// A bus that has no events of its own is no hindrance.
void listen_to_bus(const std::string& device, rte_dev_event_cb_fn call, void* argument) {
  static_cast<void>(rte_dev_event_callback_register(device.c_str(), call, argument));
}

void forget_bus(const std::string& device, rte_dev_event_cb_fn call, void* argument) {
  while (rte_dev_event_callback_unregister(device.c_str(), call, argument) == -EAGAIN) rte_pause();
}
#pragma GCC diagnostic pop

}  // namespace

/// With DPDK's own types for events, which are those of C.
struct PortCallbacks {
  static int ethdev(uint16_t port, rte_eth_event_type event, void* self, void*) {
    return PortEvents::on_event(port, event, self);
  }
  static void bus(const char* device, rte_dev_event_type event, void* self) {
    PortEvents::on_device_event(device, event, self);
  }
};

PortEvents::PortEvents(const std::vector<Watched>& ports)
    : ports_(ports), fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (fd_ < 0) throw std::runtime_error("eventfd");
  for (const Watched& one : ports_) {
    listen(one.port);
    listen_to_bus(one.device, PortCallbacks::bus, this);
  }
}

PortEvents::~PortEvents() {
  for (const Watched& one : ports_) {
    forget(one.port);
    forget_bus(one.device, PortCallbacks::bus, this);
  }
  close(fd_);
}

void PortEvents::listen(uint16_t port) {
  for (const rte_eth_event_type event : kEvents) {
    check(rte_eth_dev_callback_register(port, event, PortCallbacks::ethdev, this),
          "a port's events");
  }
}

void PortEvents::forget(uint16_t port) {
  for (const rte_eth_event_type event : kEvents) {
    // While it runs just now, it cannot be taken away.
    while (rte_eth_dev_callback_unregister(port, event, PortCallbacks::ethdev, this) == -EAGAIN) {
      rte_pause();
    }
  }
}

void PortEvents::clear() const {
  eventfd_t count;
  eventfd_read(fd_, &count);
}

PortEvents::Events PortEvents::take(uint16_t port) {
  const uint8_t came = came_[port].exchange(0);
  return {(came & kReset) != 0, (came & kRemoved) != 0};
}

void PortEvents::note(uint16_t port, uint8_t what) {
  came_[port].fetch_or(what);
  eventfd_write(fd_, 1);
}

int PortEvents::on_event(uint16_t port, int event, void* self) {
  auto& events = *static_cast<PortEvents*>(self);
  rte_eth_link link{};
  if (event == RTE_ETH_EVENT_INTR_LSC && rte_eth_link_get_nowait(port, &link) == 0 &&
      link.link_status == RTE_ETH_LINK_DOWN) {
    ++events.losses_[port];
  }
  events.note(port, event == RTE_ETH_EVENT_INTR_RESET ? kReset
                    : event == RTE_ETH_EVENT_INTR_RMV ? kRemoved
                                                      : uint8_t{0});
  return 0;
}

void PortEvents::on_device_event(const char* device, int event, void* self) {
  auto& events = *static_cast<PortEvents*>(self);
  if (event != RTE_DEV_EVENT_REMOVE) return;
  const auto gone = std::ranges::find(events.ports_, device, &Watched::device);
  if (gone != events.ports_.end()) events.note(gone->port, kRemoved);
}

}  // namespace sluice
