// SPDX-License-Identifier: BSD-3-Clause
// Has the configuration file read and checked by a thread of its own, for a reload: however long
// that takes, the loop goes on.
//
// One file at a time. The thread shares nothing but the place for its result, so one that takes too
// long can be given up: it then ends when it does, and what it found is for nobody.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "control/config/config_load.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

class ConfigLoader {
 public:
  using Load = std::function<LoadedConfig(const std::string& file)>;
  using Done = std::function<void(LoadedConfig)>;  // on the loop

  explicit ConfigLoader(EventLoop& loop, Load load = load_config);
  ~ConfigLoader();
  ConfigLoader(const ConfigLoader&) = delete;
  ConfigLoader& operator=(const ConfigLoader&) = delete;

  // A thread is at work, given up or not: nothing can be started.
  bool busy() const { return task_ != nullptr; }
  // Throws std::system_error.
  void start(std::string file, Done done);
  // `done` will not be called.
  void give_up();

  // Whether a thread outlived its loader: the process must then end without running down its
  // globals (_exit).
  static bool left_behind();

 private:
  struct Task;
  void on_ready();

  EventLoop& loop_;
  Load load_;
  Done done_;
  std::shared_ptr<Task> task_;
};

}  // namespace sluice::control
