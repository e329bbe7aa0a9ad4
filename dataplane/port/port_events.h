// SPDX-License-Identifier: BSD-3-Clause
// What drivers and buses report by interrupt of ports, as a descriptor: that a link changed
// (RTE_ETH_EVENT_INTR_LSC), that a device wants a reset (INTR_RESET: a VF whose PF was reset), that
// it is gone or to go (INTR_RMV, and the bus's own event).
//
// DPDK's interrupt thread calls back; all that it does here is to note what came and to make the
// descriptor readable. Drivers that cannot interrupt never do, so somebody has to look now and then
// as well.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/port/tx.h"

namespace sluice {

class PortEvents {
  friend struct PortCallbacks;

 public:
  struct Watched {
    uint16_t port;
    std::string device;  // its name on its bus
  };
  struct Events {
    bool reset = false;    // it wants one
    bool removed = false;  // it is gone, or its bus wants it back
  };

  /// Throws std::runtime_error.
  explicit PortEvents(const std::vector<Watched>& ports);
  PortEvents(const PortEvents&) = delete;
  PortEvents& operator=(const PortEvents&) = delete;
  ~PortEvents();

  /// Readable when something came since the last clear().
  int fd() const { return fd_; }
  void clear() const;
  /// What came of a port since the last question.
  Events take(uint16_t port);
  /// How often its link was seen down: a short loss shows in nothing else.
  uint32_t link_losses(uint16_t port) const { return losses_[port].load(); }

  /// A port is closed, or there again: ethdev forgets who listens to one that is closed.
  void forget(uint16_t port);
  void listen(uint16_t port);

 private:
  static int on_event(uint16_t port, int event, void* self);
  static void on_device_event(const char* device, int event, void* self);
  void note(uint16_t port, uint8_t what);

  std::vector<Watched> ports_;
  int fd_;
  std::array<std::atomic<uint8_t>, kInterfacesMax> came_{};
  std::array<std::atomic<uint32_t>, kInterfacesMax> losses_{};
};

}  // namespace sluice
