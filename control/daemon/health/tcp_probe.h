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

// A connection to the target, which has been told the target's greeting.
class ProbeConnection {
 public:
  // The socket is open where the result is good.
  using Done = std::function<void(UniqueFd, const ProbeResult&)>;

  // The target outlives it.
  ProbeConnection(EventLoop& loop, const ProbeTarget& target) : loop_(loop), target_(target) {}
  ~ProbeConnection() { close(); }
  ProbeConnection(const ProbeConnection&) = delete;
  ProbeConnection& operator=(const ProbeConnection&) = delete;
  // Calls back once, unless it is closed before.
  void start(Done done);
  void close();
  bool is_connecting() const { return static_cast<bool>(socket_); }

 private:
  void on_event();

  EventLoop& loop_;
  const ProbeTarget& target_;
  Done done_;
  UniqueFd socket_;
};

class TcpProbe : public Probe {
 public:
  TcpProbe(EventLoop& loop, const ProbeTarget& target)
      : target_(target), connection_(loop, target_) {}
  void start(Done done) override;
  std::string give_up() override;

 private:
  ProbeTarget target_;
  ProbeConnection connection_;
};

}  // namespace sluice::control
