// SPDX-License-Identifier: BSD-3-Clause
// A check by a program of the operator's: exit status 0 is up. What to check is told by its
// environment (SLUICE_*, docs/configuration.md); the first line that it says is the reason.
#pragma once

#include <sys/types.h>

#include "control/daemon/health/command_runner.h"
#include "control/daemon/health/probe.h"

namespace sluice::control {

class CommandProbe : public Probe {
 public:
  CommandProbe(CommandRunner& runner, const ProbeTarget& target)
      : runner_(runner), target_(target) {}
  ~CommandProbe() override { runner_.kill(pid_); }
  CommandProbe(const CommandProbe&) = delete;
  CommandProbe& operator=(const CommandProbe&) = delete;
  bool may_start() const override { return runner_.has_room(); }
  void start(Done done) override;
  std::string give_up() override;

 private:
  CommandRunner& runner_;
  ProbeTarget target_;
  pid_t pid_ = 0;  // 0: none
};

}  // namespace sluice::control
