// SPDX-License-Identifier: BSD-3-Clause
// Keeps a fact that repeats itself from filling the log.
//
// In a window of a minute the same line is written kSameMax times, and of lines that differ only in
// their numbers (a thousand backends that go down together) kAlikeMax. The rest is counted; when
// the window ends one line says how many there were. Pure: no clock, no stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::control {

class RateLimit {
 public:
  using Clock = std::chrono::system_clock;  // spdlog's

  static constexpr uint32_t kSameMax = 3;
  static constexpr uint32_t kAlikeMax = 20;
  static constexpr size_t kWindowsMax = 512;  // of lines of different kinds, at one time
  static constexpr std::chrono::seconds kWindow{60};

  struct Suppressed {
    int level = 0;
    std::string line;  // the last of them
    uint64_t count = 0;
  };

  // What was held back in the windows that are over, which it forgets.
  std::vector<Suppressed> finished(Clock::time_point now);
  // Whether this line is to be written. Ask finished() before.
  bool admit(int level, std::string_view line, Clock::time_point now);

 private:
  struct Window {
    Clock::time_point end;
    uint32_t written = 0;
    Suppressed suppressed;
  };
  Window& window_of(std::string key, Clock::time_point now);

  std::map<std::string, Window> windows_;  // by "=line" and by "~line with its numbers left out"
};

}  // namespace sluice::control
