// SPDX-License-Identifier: BSD-3-Clause
// Looks at the interfaces' links as soon as one changes.
//
// A device on top of a kernel interface (net_af_packet, net_af_xdp, net_tap, mlx5) knows little of
// it: there the kernel is asked, and rtnetlink says when. Of the others the driver is asked, four
// times a second, and by look() whenever it has interrupted (PortKeeper).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/common/unique_fd.h"
#include "control/daemon/kernel/link_state.h"
#include "control/daemon/loop/event_loop.h"
#include "dataplane/port/port.h"

namespace sluice::control {

class LinkWatch {
 public:
  struct Link {
    std::string interface;  // its name in the configuration
    std::string device;
    const Port* port;  // outlives the watch
  };
  // Takes what was found of the link of that number, and says whether that is news.
  using Found = std::function<bool(size_t link, LinkState state)>;

  // `changed` is called after one piece of news or more.
  LinkWatch(EventLoop& loop, std::vector<Link> links, Found found, EventLoop::Callback changed);
  LinkWatch(const LinkWatch&) = delete;
  LinkWatch& operator=(const LinkWatch&) = delete;
  ~LinkWatch();

  void look();

 private:
  void listen_to_kernel();
  void read_news();
  bool concerns_us(const char* message, size_t length) const;
  LinkState state_of(const Link& link) const;

  EventLoop& loop_;
  std::vector<Link> links_;
  Found found_;
  EventLoop::Callback changed_;
  UniqueFd kernel_;  // rtnetlink's news of links; none where it is not to be had
};

}  // namespace sluice::control
