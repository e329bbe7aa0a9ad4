// SPDX-License-Identifier: BSD-3-Clause
// A check by a datagram and its answer: what checks by UDP and by DNS have in common.
//
// The socket is connected, so that an ICMP port unreachable ends the check at once. The datagram is
// sent once more at half of the check's timeout: one that is lost says nothing about the backend.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/common/unique_fd.h"
#include "control/daemon/health/probe.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

class DatagramProbe : public Probe {
 public:
  DatagramProbe(EventLoop& loop, const ProbeTarget& target) : loop_(loop), target_(target) {}
  ~DatagramProbe() override { close(); }
  DatagramProbe(const DatagramProbe&) = delete;
  DatagramProbe& operator=(const DatagramProbe&) = delete;
  void start(Done done) override;
  std::string give_up() override;

 protected:
  const HealthCheckConfig& check() const { return target_.check; }
  // What is sent; asked for at the start of each check.
  virtual std::string question() = 0;
  // What an answer means, of any bytes and up to 64 KiB. Nothing: it answers something else, and
  // the check waits on.
  virtual std::optional<ProbeResult> judge(std::string_view answer) = 0;

 private:
  bool open();
  void send_again();
  void on_event();
  void finish(const ProbeResult& result);
  void close();

  EventLoop& loop_;
  ProbeTarget target_;
  Done done_;
  UniqueFd socket_;
  EventLoop::Timer again_;
  std::string question_;
  uint32_t stray_count_ = 0;  // answers to something else
};

}  // namespace sluice::control
