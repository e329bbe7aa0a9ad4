// SPDX-License-Identifier: BSD-3-Clause
// Load generator: short HTTP connections from thousands of client addresses, each way of closing.
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <map>
#include <stdexcept>
#include <vector>

#include "tests/tools/connection.h"
#include "tests/tools/report.h"

namespace sluice::tools {
namespace {

struct Options {
  std::string to = "10.3.0.1:80";
  std::string from = "10.1.1.0";
  uint32_t addresses = 4096;
  uint32_t concurrency = 64;
  double seconds = 10;
  uint64_t connections = UINT64_MAX;
  double rate = 0;
  double timeout_seconds = 10;
  Close close = Close::server;
  double upload_mb = 1;
  std::string path = "/";
  std::string log;
  bool json = false;
};

volatile std::sig_atomic_t g_stopped = 0;

int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

sockaddr_in endpoint(const std::string& text) {
  const size_t colon = text.find(':');
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    throw std::invalid_argument("not an IPv4 address: " + text);
  }
  if (colon != std::string::npos) {
    address.sin_port = htons(static_cast<uint16_t>(std::stoul(text.substr(colon + 1))));
  }
  return address;
}

// Keeps `concurrency` connections open until the time or the number is used up, then lets the last
// ones end. Every connection has a deadline, so run() always returns.
class Churn {
 public:
  Churn(const Options& options, Report& report)
      : options_(options),
        report_(report),
        request_{.to = endpoint(options.to),
                 .path = options.path,
                 .close = options.close,
                 .upload_bytes = static_cast<uint64_t>(options.upload_mb * 1e6)},
        first_address_(ntohl(endpoint(options.from).sin_addr.s_addr)),
        epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
        slots_(options.concurrency) {}

  double run() {
    const int64_t start_ns = now_ns();
    stop_ns_ = start_ns + static_cast<int64_t>(options_.seconds * 1e9);
    for (uint32_t i = 0; i < slots_.size(); ++i) idle_.push_back(i);
    next_open_ns_ = start_ns;
    while (fill(now_ns()) || idle_.size() < slots_.size()) {
      handle_events();
      end_overdue(now_ns());
    }
    return static_cast<double>(now_ns() - start_ns) / 1e9;
  }

 private:
  struct Slot {
    Connection connection;
    uint32_t generation = 0;  // tells an event of this connection from one of the slot's last
  };

  // Opens what may be opened now. Returns whether there is more to come.
  bool fill(int64_t now) {
    while (more_to_open(now) && !idle_.empty() && now >= next_open_ns_) {
      if (options_.rate > 0) next_open_ns_ += static_cast<int64_t>(1e9 / options_.rate);
      const uint32_t index = idle_.back();
      idle_.pop_back();
      Slot& slot = slots_[index];
      const uint64_t tag = uint64_t{++slot.generation} << 32 | index;
      sockaddr_in from = {};
      from.sin_family = AF_INET;
      from.sin_addr.s_addr =
          htonl(first_address_ + static_cast<uint32_t>(opened_ % options_.addresses));
      if (!slot.connection.open(request_, from, epoll_fd_, tag, opened_++, now_ns())) finish(index);
      now = now_ns();
    }
    return more_to_open(now);
  }

  bool more_to_open(int64_t now) const {
    return !g_stopped && now < stop_ns_ && opened_ < options_.connections;
  }

  void handle_events() {
    epoll_event events[256];
    const int wait_ms = options_.rate > 0 ? 1 : 20;
    const int count = epoll_wait(epoll_fd_, events, 256, wait_ms);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<uint32_t>(events[i].data.u64);
      Slot& slot = slots_[index];
      if (slot.generation != events[i].data.u64 >> 32 || !slot.connection.is_open()) continue;
      if (!slot.connection.advance(now_ns())) finish(index);
    }
  }

  // All slots are looked at, but only twenty times a second.
  void end_overdue(int64_t now) {
    if (now < next_look_ns_) return;
    next_look_ns_ = now + 50'000'000;
    const auto timeout_ns = static_cast<int64_t>(options_.timeout_seconds * 1e9);
    for (uint32_t i = 0; i < slots_.size(); ++i) {
      Connection& connection = slots_[i].connection;
      if (!connection.is_open() || now - connection.result().opened_ns < timeout_ns) continue;
      connection.give_up(now);
      finish(i);
    }
  }

  void finish(uint32_t index) {
    report_.add(slots_[index].connection.result());
    idle_.push_back(index);
  }

  const Options& options_;
  Report& report_;
  const Request request_;
  const uint32_t first_address_;
  const int epoll_fd_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> idle_;
  uint64_t opened_ = 0;
  int64_t stop_ns_ = 0;
  int64_t next_open_ns_ = 0;
  int64_t next_look_ns_ = 0;
};

void add_options(CLI::App& app, Options& options) {
  const std::map<std::string, Close> closes = {{"server", Close::server},
                                               {"client", Close::client},
                                               {"reset", Close::reset},
                                               {"half", Close::half},
                                               {"upload", Close::upload}};
  app.add_option("--to", options.to, "address and port to connect to")->capture_default_str();
  app.add_option("--from", options.from, "first client address")->capture_default_str();
  app.add_option("--addresses", options.addresses, "client addresses, used in turn")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--concurrency", options.concurrency, "connections at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  app.add_option("--seconds", options.seconds, "open connections for so long")
      ->capture_default_str();
  app.add_option("--connections", options.connections, "open so many and no more");
  app.add_option("--rate", options.rate, "open at most so many a second");
  app.add_option("--timeout", options.timeout_seconds, "seconds one connection may take")
      ->capture_default_str();
  app.add_option("--close", options.close, "who closes, and how")
      ->transform(CLI::CheckedTransformer(closes));
  app.add_option("--upload-mb", options.upload_mb, "megabytes sent by each upload")
      ->capture_default_str();
  app.add_option("--path", options.path, "path asked for; % is the connection's number")
      ->capture_default_str();
  app.add_option("--log", options.log, "write one line for each connection to this file");
  app.add_flag("--json", options.json, "print JSON");
}

void allow_open_files() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const Options& options) {
  FILE* log = options.log.empty() ? nullptr : std::fopen(options.log.c_str(), "w");
  if (!log && !options.log.empty()) {
    throw std::runtime_error("cannot write " + options.log + ": " + std::strerror(errno));
  }
  Report report(log);
  const double seconds = Churn(options, report).run();
  if (log) std::fclose(log);
  std::cout << (options.json ? report.json(seconds) + "\n" : report.table(seconds));
  return report.opened() == report.count(Outcome::succeeded) ? 0 : 1;
}

}  // namespace
}  // namespace sluice::tools

int main(int argc, char** argv) {
  sluice::tools::Options options;
  CLI::App app{"churn: short HTTP connections from thousands of client addresses"};
  sluice::tools::add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGINT, [](int) { sluice::tools::g_stopped = 1; });
  std::signal(SIGTERM, [](int) { sluice::tools::g_stopped = 1; });
  sluice::tools::allow_open_files();
  try {
    return sluice::tools::run(options);
  } catch (const std::exception& error) {
    std::cerr << "churn: " << error.what() << '\n';
    return 2;
  }
}
