// SPDX-License-Identifier: BSD-3-Clause
// spdlog on standard error, and DPDK's log stream brought into it.
#include "control/log.h"

#include <rte_log.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdio>
#include <deque>
#include <mutex>
#include <stdexcept>

#include "control/text.h"

namespace sluice::control {
namespace {

constexpr size_t kKeptErrorsMax = 3;
constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// DPDK hands over what one rte_log() call wrote, at times a part of a line. Control-plane threads
// of drivers may log as well, hence the mutex.
class DpdkStream {
 public:
  void open() {
    cookie_io_functions_t functions{};
    functions.write = [](void* self, const char* data, size_t size) {
      static_cast<DpdkStream*>(self)->write(std::string_view(data, size));
      return static_cast<ssize_t>(size);
    };
    FILE* stream = fopencookie(this, "w", functions);
    if (stream == nullptr) throw std::runtime_error("cannot make DPDK's log stream");
    setvbuf(stream, nullptr, _IONBF, 0);
    rte_openlog_stream(stream);
  }

  void set_quiet(bool quiet) {
    const std::lock_guard lock(mutex_);
    quiet_ = quiet;
  }

  std::string errors() {
    const std::lock_guard lock(mutex_);
    return join(errors_, "; ");
  }

 private:
  void write(std::string_view text) {
    const std::lock_guard lock(mutex_);
    for (char c : text) {
      if (c == '\n') {
        flush();
      } else if (line_.size() < 500) {
        line_ += c;
      }
    }
  }

  void flush() {
    const std::string line = std::exchange(line_, {});
    if (line.empty()) return;
    const int level = rte_log_cur_msg_loglevel();
    const bool is_error = level >= 0 && level <= static_cast<int>(RTE_LOG_ERR);
    if (is_error) {
      errors_.push_back(line);
      if (errors_.size() > kKeptErrorsMax) errors_.pop_front();
    }
    if (quiet_ || level > static_cast<int>(RTE_LOG_WARNING)) {
      spdlog::debug("dpdk: {}", line);
    } else {
      spdlog::log(is_error ? spdlog::level::err : spdlog::level::warn, "dpdk: {}", line);
    }
  }

  std::mutex mutex_;
  std::string line_;
  std::deque<std::string> errors_;
  bool quiet_ = true;
};

// DPDK's log has no end before the process has one, and neither has its stream.
DpdkStream& dpdk_stream() {
  static auto* stream = new DpdkStream;
  return *stream;
}

}  // namespace

void set_up_log(LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>(
      "sluice", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern(kPattern);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  set_log_level(level);
}

void set_log_level(LogLevel level) {
  spdlog::set_level(spdlog_level(level));
}

void capture_dpdk_log() {
  dpdk_stream().open();
}
void set_dpdk_log_quiet(bool quiet) {
  dpdk_stream().set_quiet(quiet);
}
std::string last_dpdk_errors() {
  return dpdk_stream().errors();
}

}  // namespace sluice::control
