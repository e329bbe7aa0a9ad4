// SPDX-License-Identifier: BSD-3-Clause
// spdlog on standard error behind a limit, and DPDK's log stream brought into it.
#include "control/daemon/log/log.h"

#include <rte_log.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdio>
#include <deque>
#include <mutex>
#include <stdexcept>

#include "control/common/text.h"
#include "control/daemon/log/rate_limit.h"
#include "control/daemon/log/sd_notify.h"

namespace sluice::control {
namespace {

constexpr size_t kKeptErrorsMax = 3;
constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v";
constexpr const char* kJournalPattern = "<%*>%v";
constexpr char kPriority = '*';

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The priority of syslog(3), as sd-daemon(3) has it.
class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    out.push_back(message.level >= spdlog::level::err    ? '3'
                  : message.level == spdlog::level::warn ? '4'
                  : message.level == spdlog::level::info ? '6'
                                                         : '7');
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PriorityFlag>();
  }
};

// Holds back what repeats itself, and gives each line of a text a beginning of its own.
class LimitSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LimitSink(spdlog::sink_ptr out) : out_(std::move(out)) { recent_.set_pattern(kPattern); }

  std::vector<std::string> recent() { return recent_.last_formatted(); }

  void write_finished() {
    const std::lock_guard lock(mutex_);
    write_finished(RateLimit::Clock::now());
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_finished(message.time);
    const std::string_view text(message.payload.data(), message.payload.size());
    if (message.level >= spdlog::level::warn && !limit_.admit(message.level, text, message.time)) {
      return;
    }
    write(message.level, text, message.time);
  }
  void flush_() override { out_->flush(); }
  void set_pattern_(const std::string&) override {}
  void set_formatter_(std::unique_ptr<spdlog::formatter> formatter) override {
    out_->set_formatter(std::move(formatter));
  }

 private:
  void write_finished(RateLimit::Clock::time_point now) {
    for (const RateLimit::Suppressed& suppressed : limit_.finished(now)) {
      write(static_cast<spdlog::level::level_enum>(suppressed.level),
            fmt::format("{} more suppressed, the last: {}", suppressed.count, suppressed.line),
            now);
    }
  }
  void write(spdlog::level::level_enum level, std::string_view text,
             RateLimit::Clock::time_point time) {
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string_view line = text.substr(begin, end - begin);
      const spdlog::details::log_msg message(time, {}, "sluice", level, {line.data(), line.size()});
      out_->log(message);
      recent_.log(message);
      begin = end + 1;
    }
  }

  spdlog::sink_ptr out_;
  spdlog::sinks::ringbuffer_sink_mt recent_{kRecentLinesMax};
  RateLimit limit_;
};

std::shared_ptr<LimitSink> limit_sink;

std::unique_ptr<spdlog::formatter> make_formatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PriorityFlag>(kPriority);
  formatter->set_pattern(logs_to_journal() ? kJournalPattern : kPattern);
  return formatter;
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
  limit_sink = std::make_shared<LimitSink>(std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  auto logger = std::make_shared<spdlog::logger>("sluice", limit_sink);
  logger->set_formatter(make_formatter());
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
  set_log_level(level);
}

void set_log_level(LogLevel level) {
  spdlog::set_level(spdlog_level(level));
}

void log_suppressed() {
  limit_sink->write_finished();
}

std::vector<std::string> recent_log() {
  std::vector<std::string> lines = limit_sink->recent();
  for (std::string& line : lines) {
    while (line.ends_with('\n')) line.pop_back();
  }
  return lines;
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
