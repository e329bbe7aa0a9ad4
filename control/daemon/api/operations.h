// SPDX-License-Identifier: BSD-3-Clause
// What an operator changes while packets flow: backends' overrides, the drain, reload and save.
//
// Requests are answered on the control thread; a tick a second looks after a drain that waits. A
// reload's file is read and checked beside it (config_loader.h), so its answer comes later.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "control/common/clock.h"
#include "control/common/enum_words.h"
#include "control/common/status_rows.h"
#include "control/daemon/api/config_loader.h"
#include "control/daemon/core/dataplane_manager.h"
#include "control/daemon/core/reload_record.h"

namespace sluice::control {

// What becomes of overrides when the configuration is read again.
enum class OnReload : uint8_t {
  kKeep,    // those whose backend is still configured
  kDrop,    // the file alone counts again
  kRefuse,  // no reload while there are any: whoever asks must choose
};
template <>
inline constexpr std::array kWordsOf<OnReload> = {EnumWord{"keep", OnReload::kKeep},
                                                  EnumWord{"drop", OnReload::kDrop}};

class Operations {
 public:
  struct Outcome {
    bool reloaded;
    std::string text;  // what came of it, or all that is wrong
  };
  using Done = std::function<void(const Outcome&)>;

  // `text` is what the file said when it was read; `stop` ends the program in order.
  Operations(DataplaneManager& dataplane, EventLoop& loop, std::string file, std::string text,
             std::function<void()> stop)
      : dataplane_(dataplane),
        loop_(loop),
        loader_(loop),
        file_(std::move(file)),
        text_(std::move(text)),
        stop_(std::move(stop)) {}

  // These answer a request that has been checked (commands.cc); a text is for who asked. They throw
  // RequestError, ApplyError.
  std::string set_backend(const nlohmann::json& request);
  std::string clear_backend(const nlohmann::json& request);
  nlohmann::json begin_save() const;
  std::string end_save();
  // The configuration in force and the last lines of the log, for somebody elsewhere.
  nlohmann::json support() const;
  nlohmann::json start_drain(const nlohmann::json& request);
  nlohmann::json end_drain();
  // The drain that is on as the next process needs it, or null; and back.
  nlohmann::json kept_drain() const;
  void recall_drain(const nlohmann::json& kept);

  // Has the configuration file read again; `done` says what came of it. Throws RequestError where a
  // choice is wanted, or another reload is on its way.
  void reload(OnReload overrides, Done done);
  // The same by signal: one that comes while another is on its way follows it.
  void reload_by_signal();
  // How much is served, in a few words.
  std::string summary() const;
  void tick();
  DrainRow drain_row() const;
  nlohmann::json view_drain() const;  // {"drain": [row]}
  const std::string& file() const { return file_; }
  const ReloadRecord& reloads() const { return reloads_; }
  const EventLoop::Load& loop_load() const { return loop_.load(); }

 private:
  using Clock = std::chrono::steady_clock;

  struct Drain {
    Clock::time_point since;
    uint64_t refused_before = 0;
    std::optional<Clock::time_point> deadline;
    bool reset_rest = false;  // at the deadline
    bool stop_after = false;
    bool ended = false;  // nothing was left, or the deadline has passed
  };

  void check_choice(OnReload choice) const;
  void finish_reload(const LoadedConfig& next, OnReload choice, const Done& done);
  std::string put_into_force(const LoadedConfig& next, OnReload choice);
  void end_reload(const Outcome& outcome, const Done& done);
  void look_after_reload();

  DataplaneManager& dataplane_;
  EventLoop& loop_;
  ConfigLoader loader_;
  Done reload_done_;  // of the reload that is on its way
  Clock::time_point reload_late_;
  bool reload_again_ = false;  // signalled meanwhile
  std::string file_;
  std::string text_;  // of the configuration that is in force
  std::function<void()> stop_;
  std::optional<Drain> drain_;
  ReloadRecord reloads_{.last_success_s = unix_seconds()};
};

}  // namespace sluice::control
