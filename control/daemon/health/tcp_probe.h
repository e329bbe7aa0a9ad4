// SPDX-License-Identifier: BSD-3-Clause
// A check by a TCP connection: the backend accepts, or it does not.
//
// It comes from the interface's address by its tap and is reset as soon as it stands: no TIME_WAIT
// gathers at either end.
#pragma once

#include "control/common/unique_fd.h"
#include "control/daemon/health/probe.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

// A non-blocking socket that leaves from the target's source by its device and ends with a RST. Not
// open when that cannot be; errno says why.
UniqueFd probe_socket(const ProbeTarget& target);

class TcpProbe : public Probe {
 public:
  TcpProbe(EventLoop& loop, const ProbeTarget& target) : loop_(loop), target_(target) {}
  ~TcpProbe() override { close(); }
  void start(Done done) override;
  std::string give_up() override;

 private:
  void on_event();
  void close();

  EventLoop& loop_;
  ProbeTarget target_;
  Done done_;
  UniqueFd socket_;
};

}  // namespace sluice::control
