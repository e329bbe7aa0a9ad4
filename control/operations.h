// SPDX-License-Identifier: BSD-3-Clause
// What an operator changes while packets flow: backends' overrides, the drain, reload and save.
//
// Requests are answered on the control thread; a tick a second looks after a drain that waits.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "control/balancer.h"
#include "control/program_view.h"

namespace sluice::control {

// What becomes of overrides when the configuration is read again.
enum class OnReload : uint8_t {
  kKeep,    // those whose backend is still configured
  kDrop,    // the file alone counts again
  kRefuse,  // no reload while there are any: whoever asks must choose
};

class Operations {
 public:
  // `text` is what the file said when it was read; `stop` ends the program in order.
  Operations(Balancer& balancer, std::string file, std::string text, std::function<void()> stop)
      : balancer_(balancer),
        file_(std::move(file)),
        text_(std::move(text)),
        stop_(std::move(stop)) {}

  // The answer, or nothing when the command is not one of these. Throws RequestError, ApplyError.
  std::optional<nlohmann::json> handle(const std::string& command, const nlohmann::json& request);

  // Reads the configuration file again and says what came of it. Throws ApplyError with all
  // reasons, RequestError where a choice is wanted.
  std::string reload(OnReload overrides);
  // How much is served, in a few words.
  std::string summary() const;
  void tick();
  nlohmann::json view_drain() const;
  const std::string& file() const { return file_; }
  const ReloadRecord& reloads() const { return reloads_; }

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

  std::string set_backend(const nlohmann::json& request);
  std::string clear_backend(const nlohmann::json& request);
  std::string save();
  void start_drain(const nlohmann::json& request);
  void end_drain();

  Balancer& balancer_;
  std::string file_;
  std::string text_;  // of the configuration that is in force
  std::function<void()> stop_;
  std::optional<Drain> drain_;
  ReloadRecord reloads_{.last_success_s = unix_seconds()};
};

}  // namespace sluice::control
