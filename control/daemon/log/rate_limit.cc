// SPDX-License-Identifier: BSD-3-Clause
// Windows by line, and by what a line looks like.
#include "control/daemon/log/rate_limit.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace sluice::control {
namespace {

constexpr char kAlike = '~';

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "pool 10.2.0.1: 83 %" and "pool 10.2.0.27: 9 %" look alike.
std::string shape_of(std::string_view line) {
  std::string shape(1, kAlike);
  for (const char c : line) {
    if (!is_digit(c)) {
      shape += c;
    } else if (shape.back() != '#') {
      shape += '#';
    }
  }
  return shape;
}

}  // namespace

std::vector<RateLimit::Suppressed> RateLimit::finished(Clock::time_point now) {
  std::vector<Suppressed> out;
  for (auto window = windows_.begin(); window != windows_.end();) {
    // A clock that was set back must not hold lines for longer than a window.
    const bool over = now >= window->second.end || now < window->second.end - kWindow;
    if (over && window->second.suppressed.count > 0) out.push_back(window->second.suppressed);
    window = over ? windows_.erase(window) : std::next(window);
  }
  return out;
}

RateLimit::Window& RateLimit::window_of(std::string key, Clock::time_point now) {
  const bool full = windows_.size() >= kWindowsMax && !windows_.contains(key);
  if (full) key.assign(1, kAlike);  // everything else shares one
  return windows_.try_emplace(std::move(key), Window{now + kWindow, 0, {}}).first->second;
}

bool RateLimit::admit(int level, std::string_view line, Clock::time_point now) {
  Window& same = window_of(fmt::format("={}", line), now);
  Window& alike = window_of(shape_of(line), now);
  Window* const full = same.written >= kSameMax     ? &same
                       : alike.written >= kAlikeMax ? &alike
                                                    : nullptr;
  if (full != nullptr) {
    full->suppressed = {level, std::string(line), full->suppressed.count + 1};
    return false;
  }
  ++same.written;
  ++alike.written;
  return true;
}

}  // namespace sluice::control
