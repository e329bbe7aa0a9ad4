// SPDX-License-Identifier: BSD-3-Clause
// The control thread's side of the exception path: carries frames between the workers' rings and
// the taps, a bounded share at a time.
//
// No worker wakes anybody, so a timer looks at the rings: every millisecond while nothing moves,
// every 100 us for a while after something did. A frame of the kernel's wakes the loop by its tap.
// In a millisecond an interface gets at most kToKernelPerMs packets into its kernel: a flood to one
// interface's address can take neither the control thread nor another interface's share.
#pragma once

#include <rte_mempool.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/daemon/kernel/kernel_interface.h"
#include "control/daemon/kernel/kernel_tap.h"
#include "control/daemon/loop/event_loop.h"
#include "dataplane/port/kernel_rings.h"

namespace sluice::control {

class KernelTaps {
 public:
  // Makes the taps. Throws StartError.
  KernelTaps(EventLoop& loop, const Config& config, std::vector<KernelInterface> interfaces,
             rte_mempool* packets);
  ~KernelTaps();
  KernelTaps(const KernelTaps&) = delete;
  KernelTaps& operator=(const KernelTaps&) = delete;

  // Another configuration is in force: addresses and routes follow it.
  void apply(const Config& config);
  // The port of an interface is there again: its MAC and MTU may be others, and what lies under it
  // new to the kernel.
  void renew(const KernelInterface& interface);
  // Once a second: makes a tap again that somebody has deleted.
  void tick();

 private:
  static constexpr unsigned kToKernelPerMs = 128;
  static constexpr unsigned kToPortPerIteration = 64;

  struct TapPort {
    KernelInterface interface;
    std::unique_ptr<KernelTap> tap;  // none while it cannot be made
    unsigned to_kernel_left = kToKernelPerMs;
  };

  void make(TapPort& port);
  void silence(const TapPort& port) const;
  static void keep_mac(const TapPort& port);
  void configure(TapPort& port);
  void poll();
  bool to_kernel(TapPort& port);
  bool to_port(TapPort& port);
  void look_again();

  EventLoop& loop_;
  Config config_;
  rte_mempool* packets_;
  std::vector<TapPort> taps_;
  EventLoop::Timer timer_;
  bool busy_ = false;
  int64_t moved_ms_ = 0;   // when something moved last
  int64_t budget_ms_ = 0;  // of which millisecond the budgets are
};

}  // namespace sluice::control
