// SPDX-License-Identifier: BSD-3-Clause
// libsystemd's sd_notify(3), sd_watchdog_enabled(3), and JOURNAL_STREAM of systemd.exec(5).
#include "control/daemon/log/sd_notify.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "control/common/clock.h"

namespace sluice::control {
namespace {

void tell(const std::string& text) {
  sd_notify(/*unset_environment=*/0, text.c_str());
}

// A status is one line; what comes after a newline would be read as another message.
std::string status_line(std::string status) {
  std::ranges::replace(status, '\n', ' ');
  return "STATUS=" + status;
}

}  // namespace

void tell_ready(const std::string& status) {
  tell("READY=1\n" + status_line(status));
}
void tell_start_may_take(std::chrono::seconds time) {
  tell(fmt::format("EXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(time).count()));
}
void tell_reloading() {
  // The time tells this reload's READY from an earlier one (systemd 253, Type=notify-reload).
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading", steady_ms() * 1000));
}
void tell_stopping() {
  tell("STOPPING=1\nSTATUS=stopping");
}
void tell_status(const std::string& status) {
  tell(status_line(status));
}
void tell_alive() {
  tell("WATCHDOG=1");
}

std::optional<std::chrono::milliseconds> watchdog_limit() {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::milliseconds(std::max<uint64_t>(microseconds / 1000, 1));
}

bool logs_to_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace sluice::control
