// SPDX-License-Identifier: BSD-3-Clause
// Checks on the loopback: what a listener, a closed port, a silent one and a program come to.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <thread>

#include "control/config/address_text.h"
#include "control/config/socket_address.h"
#include "control/daemon/health/command_probe.h"
#include "control/daemon/health/curl_probe.h"
#include "control/daemon/health/tcp_probe.h"
#include "tests/unit/control/daemon/health/probe_run.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;
using Kind = ProbeResult::Kind;

// A listening socket that answers the first connection with `answer`, if there is one.
class Listener {
 public:
  explicit Listener(std::string answer = "", const char* at = "127.0.0.1") {
    SocketAddress address({*parse_ip(at), {}});
    fd_ = UniqueFd(socket(address.family(), SOCK_STREAM, 0));
    EXPECT_EQ(bind(fd_.get(), address.get(), address.length), 0) << at;
    EXPECT_EQ(listen(fd_.get(), 4), 0);
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    // The port is at the same place in both families.
    port_ = ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
    if (answer.empty()) return;
    thread_ = std::thread([this, answer = std::move(answer)] {
      const UniqueFd peer(accept(fd_.get(), nullptr, nullptr));
      char request[4096];
      const ssize_t length = read(peer.get(), request, sizeof request);
      if (length > 0) request_.assign(request, static_cast<size_t>(length));
      EXPECT_EQ(write(peer.get(), answer.data(), answer.size()),
                static_cast<ssize_t>(answer.size()));
    });
  }
  ~Listener() {
    if (thread_.joinable()) thread_.join();
  }
  uint16_t port() const { return port_; }
  const std::string& request() {
    thread_.join();
    return request_;
  }

 private:
  UniqueFd fd_;
  uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

TEST(TcpProbe, AcceptedRefusedAndWithoutADevice) {
  for (const char* at : kLoopbacks) {
    EventLoop loop;
    const Listener listener("", at);
    TcpProbe good(loop, target(listener.port(), CheckType::kTcp, at));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(result_of(loop, good).kind, Kind::kGood) << at;

    TcpProbe refused(loop, target(1, CheckType::kTcp, at));
    const ProbeResult said = result_of(loop, refused);
    EXPECT_EQ(said.kind, Kind::kCritical) << at;
    EXPECT_EQ(said.reason, "connect: Connection refused") << at;

    ProbeTarget nowhere = target(listener.port(), CheckType::kTcp, at);
    nowhere.device = "no-such-link";
    TcpProbe none(loop, nowhere);
    EXPECT_EQ(result_of(loop, none).kind, Kind::kNone) << at;
  }
}

ProbeResult http(Listener& listener, HealthCheckConfig check, milliseconds wait,
                 const char* at = "127.0.0.1") {
  EventLoop loop;
  CurlEngine engine(loop);
  ProbeTarget to = target(listener.port(), check.type, at);
  to.check = std::move(check);
  CurlProbe probe(loop, engine, to);
  return result_of(loop, probe, wait);
}

TEST(CurlProbe, JudgesTheAnswer) {
  const struct {
    const char* answer;
    HealthCheckConfig check;
    const char* reason;  // empty: good
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", {}, ""},
      {"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", {}, ""},
      {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", {}, "status 503"},
      {"HTTP/1.1 204 No\r\n\r\n", {.expect_status = {{200, 200}, {203, 203}}}, "status 204"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", {.body_matches = "^o.$"}, ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
       {.body_matches = "ok"},
       "status 200, but the body does not match"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
       {},
       "transfer closed with 1 bytes remaining to read"},
      {"SSH-2.0-dropbear\r\n", {}, "Received HTTP/0.9 when not allowed"},
  };
  for (const auto& test : cases) {
    Listener listener(test.answer);
    HealthCheckConfig check = test.check;
    check.type = CheckType::kHttp;
    const ProbeResult said = http(listener, check, milliseconds(5000));
    EXPECT_EQ(said.reason, test.reason) << test.answer;
    EXPECT_EQ(said.kind, *test.reason == '\0' ? Kind::kGood : Kind::kCritical);
  }
}

TEST(CurlProbe, AsksAsConfigured) {
  Listener listener("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  http(listener,
       {.type = CheckType::kHttp,
        .method = HttpMethod::kOptions,
        .path = "/a/../b?c=%20",
        .host = "web.example"},
       milliseconds(5000));
  const std::string& request = listener.request();
  EXPECT_TRUE(request.starts_with("OPTIONS /a/../b?c=%20 HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("\r\nHost: web.example\r\n"), request.npos) << request;
  EXPECT_NE(request.find("\r\nConnection: close\r\n"), request.npos) << request;
}

TEST(CurlProbe, AsksABackendWithAnIpv6Address) {
  Listener listener("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "::1");
  EXPECT_EQ(http(listener, {.type = CheckType::kHttp}, milliseconds(5000), "::1").reason, "");
  const std::string& request = listener.request();
  EXPECT_NE(request.find(fmt::format("\r\nHost: [::1]:{}\r\n", listener.port())), request.npos)
      << request;
}

TEST(CurlProbe, ByANameAsksTheIpv6BackendAllTheSame) {
  Listener listener("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "::1");
  const HealthCheckConfig check = {.type = CheckType::kHttp, .host = "web.example:81"};
  EXPECT_EQ(http(listener, check, milliseconds(5000), "::1").reason, "");
  EXPECT_NE(listener.request().find("\r\nHost: web.example:81\r\n"), std::string::npos);
}

TEST(CurlProbe, SilenceIsGivenUpAndSaidHowFarItCame) {
  Listener listener;  // accepts, as a stopped program's kernel does, and says nothing
  EXPECT_EQ(http(listener, {.type = CheckType::kHttp}, milliseconds(500)).reason,
            "given up: no answer in time");
  EXPECT_EQ(http(listener, {.type = CheckType::kHttps}, milliseconds(500)).reason,
            "given up: no TLS connection in time");
}

ProbeResult command(std::vector<std::string> words, milliseconds wait = milliseconds(5000),
                    const char* at = "127.0.0.1") {
  EventLoop loop;
  CommandRunner runner(loop);
  ProbeTarget to = target(80, CheckType::kCommand, at);
  to.check.command = std::move(words);
  CommandProbe probe(runner, to);
  const ProbeResult said = result_of(loop, probe, wait);
  const auto end = EventLoop::Clock::now() + milliseconds(5000);
  while (runner.process_count() > 0 && EventLoop::Clock::now() < end) {
    loop.run_once(milliseconds(10));
  }
  EXPECT_EQ(runner.process_count(), 0u);
  return said;
}

TEST(CommandProbe, TheExitStatusDecides) {
  EXPECT_EQ(command({"/bin/true"}).kind, Kind::kGood);
  EXPECT_EQ(command({"/bin/sh", "-c", "exit 3"}).reason, "exit status 3");
  EXPECT_EQ(command({"/bin/sh", "-c", "echo $SLUICE_SERVICE at $SLUICE_BACKEND; exit 1"}).reason,
            "exit status 1: web at 127.0.0.1:80");
  EXPECT_EQ(command({"/bin/sh", "-c", "echo $SLUICE_BACKEND, $SLUICE_ADDRESS $SLUICE_PORT; exit 1"},
                    milliseconds(5000), "::1")
                .reason,
            "exit status 1: [::1]:80, ::1 80");
  EXPECT_EQ(command({"/bin/sh", "-c", "kill -TERM $$"}).reason, "signal 15");
  EXPECT_EQ(command({"/bin/sh", "-c", "yes | head -c 1000000; exit 1"}).reason, "exit status 1: y");
  EXPECT_EQ(command({"/no/such/program"}).kind, Kind::kNone);
}

TEST(CommandProbe, OneThatHangsIsKilledWithAllThatItHasStarted) {
  const std::string mark = "4711." + std::to_string(getpid());
  EXPECT_EQ(
      command({"/bin/sh", "-c", "sleep " + mark + " & sleep " + mark}, milliseconds(100)).reason,
      "given up: the command did not end in time");
  EXPECT_NE(system(("pgrep -f '^sleep " + mark + "' >/dev/null").c_str()), 0);
}

}  // namespace
}  // namespace sluice::control
