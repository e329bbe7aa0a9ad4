// SPDX-License-Identifier: BSD-3-Clause
// Programs that the control thread starts and does not wait for: a bounded number at a time, each
// in a process group of its own, on the control thread's core, without Sluice's capabilities.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/common/unique_fd.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

class CommandRunner {
 public:
  static constexpr size_t kProcessesMax = 32;
  static constexpr size_t kOutputMax = 200;  // bytes kept of what one says

  struct End {
    bool exited;       // by itself; else by a signal
    int status;        // exit status, or the signal's number
    std::string said;  // the beginning of standard output and error
  };

  explicit CommandRunner(EventLoop& loop);
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  bool has_room() const { return processes_.size() < kProcessesMax; }
  size_t process_count() const { return processes_.size(); }
  // Its pid; `done` is called when it has ended. Throws std::system_error.
  pid_t start(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
              std::function<void(const End&)> done);
  // Kills it and all of its group; `done` is not called. It takes its room until it is gone.
  void kill(pid_t pid);

 private:
  struct Process {
    UniqueFd handle;  // pidfd
    UniqueFd output;
    std::string said;
    std::function<void(const End&)> done;
  };
  void read_output(pid_t pid);
  void reap(pid_t pid);

  EventLoop& loop_;
  std::map<pid_t, Process> processes_;
};

}  // namespace sluice::control
