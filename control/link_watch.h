// SPDX-License-Identifier: BSD-3-Clause
// Looks at the interfaces' links as soon as one changes, and tells the balancer.
//
// A device on top of a kernel interface (net_af_packet, net_af_xdp, net_tap, mlx5) knows little of it:
// there the kernel is asked, and rtnetlink says when. Of the others the driver is asked: when it
// interrupts, where it can, and four times a second.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/balancer.h"
#include "control/event_loop.h"
#include "control/unique_fd.h"
#include "dataplane/port/link_interrupts.h"

namespace sluice::control {

class LinkWatch {
 public:
  // `changed` is called after the balancer was told of one change or more.
  LinkWatch(EventLoop& loop, Balancer& balancer, EventLoop::Callback changed);
  LinkWatch(const LinkWatch&) = delete;
  LinkWatch& operator=(const LinkWatch&) = delete;
  ~LinkWatch();

  void look();

 private:
  void listen_to_kernel();
  void read_news();
  bool concerns_us(const char* message, size_t length) const;
  LinkState state_of(size_t interface) const;

  EventLoop& loop_;
  Balancer& balancer_;
  EventLoop::Callback changed_;
  LinkInterrupts interrupts_;
  UniqueFd kernel_;  // rtnetlink's news of links; none where it is not to be had
};

}  // namespace sluice::control
