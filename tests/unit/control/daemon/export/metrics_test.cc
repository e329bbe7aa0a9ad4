// SPDX-License-Identifier: BSD-3-Clause
// The exporter: its text is made once a second at most, however often it is asked for.
#include "control/daemon/export/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "control/common/unique_fd.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;

class Exporter : public testing::Test {
 protected:
  Exporter() {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    socklen_t length = sizeof address_;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address_), &length);
  }

  net::Ipv4Endpoint listen() const { return {{address_.sin_addr.s_addr}, {address_.sin_port}}; }
  std::vector<prometheus::MetricFamily> collect() {
    ++made_;
    MetricSamples samples;
    samples.add(prometheus::MetricType::Gauge, "made", "how often", {}, made_.load());
    return samples.take();
  }
  std::string get(const std::string& path = "/metrics") const {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(send(fd.get(), request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    std::string text;
    char chunk[4096];
    for (ssize_t n = 0; (n = recv(fd.get(), chunk, sizeof chunk, 0)) > 0;) {
      text.append(chunk, static_cast<size_t>(n));
    }
    return text;
  }

  sockaddr_in address_{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  EventLoop loop_;
  LoopCall calls_{loop_};
  std::atomic<int> made_ = 0;
};

TEST_F(Exporter, ItsTextIsMadeOnceASecondAtMost) {
  std::atomic<bool> stop = false;
  std::thread control([&] {
    while (!stop) loop_.run_once(milliseconds(10));
  });
  {
    Metrics metrics(calls_, listen(), [this] { return collect(); });
    const auto begin = EventLoop::Clock::now();
    EXPECT_NE(get().find("version=0.0.4"), std::string::npos);
    for (int i = 0; i < 20; ++i) EXPECT_NE(get().find("\nmade "), std::string::npos);
    EXPECT_NE(get("/").find(" 404 "), std::string::npos);
    const auto seconds = (EventLoop::Clock::now() - begin) / milliseconds(1000);
    EXPECT_LE(made_, 1 + seconds);
    std::this_thread::sleep_for(milliseconds(1050));
    EXPECT_NE(get().find("\nmade " + std::to_string(made_ + 0)), std::string::npos);
    EXPECT_GE(made_, 2);
  }
  stop = true;
  control.join();
}

// One that waits for the control thread in vain holds up the others no longer than that once.
TEST_F(Exporter, AControlThreadThatHangsIsAGap) {
  Metrics metrics(calls_, listen(), [this] { return collect(); });
  const auto begin = EventLoop::Clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_NE(get().find(" 503 "), std::string::npos);
  EXPECT_LT(EventLoop::Clock::now() - begin, milliseconds(2000));  // three waits are 2,100
  EXPECT_EQ(made_, 0);
}

}  // namespace
}  // namespace sluice::control
