// SPDX-License-Identifier: BSD-3-Clause
// Checks by UDP against a server of the test's own on the loopback.
#include "control/daemon/health/udp_probe.h"

#include <dirent.h>
#include <gtest/gtest.h>

#include "tests/unit/control/daemon/health/probe_run.h"
#include "tests/unit/control/daemon/health/udp_server.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;
using Answers = std::vector<std::string>;
using Kind = ProbeResult::Kind;

constexpr size_t kDatagramMax = 65507;

ProbeTarget asking(uint16_t port, HealthCheckConfig check, const char* at = "127.0.0.1") {
  ProbeTarget to = target(port, CheckType::kUdp, at);
  check.type = CheckType::kUdp;
  if (check.payload_hex.empty()) check.payload = "PING\n";
  to.check = std::move(check);
  return to;
}

int open_descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

TEST(UdpProbe, JudgesTheAnswer) {
  const std::string bytes("\x00\xff\x01", 3);
  const struct {
    std::string answer;
    HealthCheckConfig check;
    const char* reason;  // empty: good
  } cases[] = {
      {"anything", {}, ""},
      {"", {}, ""},
      {"+PONG\r\n", {.expect = "PONG"}, ""},
      {"-ERR\r\n", {.expect = "PONG"}, "answer lacks \"PONG\""},
      {"", {.expect = "PONG"}, "answer lacks \"PONG\""},
      {"a" + bytes + "b", {.expect_hex = bytes}, ""},
      {"a", {.expect_hex = bytes}, "answer lacks \"\\x00\\xff\\x01\""},
      {std::string(kDatagramMax - 4, 'x') + "PONG", {.expect = "PONG"}, ""},
      {std::string(kDatagramMax, 'x'), {.expect = "PONG"}, "answer lacks \"PONG\""},
  };
  for (const auto& test : cases) {
    UdpServer server([&](const std::string&, int) { return Answers{test.answer}; });
    EventLoop loop;
    UdpProbe probe(loop, asking(server.port(), test.check));
    const ProbeResult said = result_of(loop, probe);
    EXPECT_EQ(said.reason, test.reason) << test.answer.size();
    EXPECT_EQ(said.kind, *test.reason == '\0' ? Kind::kGood : Kind::kCritical);
  }
}

TEST(UdpProbe, SendsItsPayload) {
  const std::string bytes("\x00\x01\xff", 3);
  for (const char* at : kLoopbacks) {
    UdpServer server([](const std::string& question, int) { return Answers{question}; }, at);
    EventLoop loop;
    UdpProbe text(loop, asking(server.port(), {.expect = "PING\n"}, at));
    UdpProbe hex(loop, asking(server.port(), {.payload_hex = bytes, .expect_hex = bytes}, at));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(result_of(loop, text).kind, Kind::kGood) << at;
      EXPECT_EQ(result_of(loop, hex).kind, Kind::kGood) << at;
    }
    EXPECT_EQ(server.question_count(), 6);
  }
}

TEST(UdpProbe, OneLostDatagramIsSentAgainAtHalfOfTheTimeout) {
  UdpServer server(
      [](const std::string&, int index) { return index == 0 ? Answers{} : Answers{"here"}; });
  EventLoop loop;
  UdpProbe probe(loop, asking(server.port(), {.timeout = milliseconds(200)}));
  const auto start = EventLoop::Clock::now();
  EXPECT_EQ(result_of(loop, probe).kind, Kind::kGood);
  EXPECT_GE(EventLoop::Clock::now() - start, milliseconds(100));
  EXPECT_EQ(server.question_count(), 2);
}

TEST(UdpProbe, SilenceIsGivenUpAfterTwoDatagrams) {
  UdpServer server([](const std::string&, int) { return Answers{}; });
  EventLoop loop;
  UdpProbe probe(loop, asking(server.port(), {.timeout = milliseconds(100)}));
  EXPECT_EQ(result_of(loop, probe, milliseconds(300)).reason, "given up: no answer within 100 ms");
  EXPECT_EQ(server.question_count(), 2);
}

TEST(UdpProbe, AClosedPortIsSaidAtOnce) {
  for (const char* at : kLoopbacks) {
    EventLoop loop;
    UdpProbe probe(loop, asking(1, {.timeout = milliseconds(4000)}, at));
    const auto start = EventLoop::Clock::now();
    const ProbeResult said = result_of(loop, probe);
    EXPECT_EQ(said.kind, Kind::kCritical) << at;
    EXPECT_EQ(said.reason, "port unreachable (ICMP)") << at;
    EXPECT_LT(EventLoop::Clock::now() - start, milliseconds(1000)) << at;
  }
}

TEST(UdpProbe, WithoutADeviceItSaysNothingOfTheBackend) {
  EventLoop loop;
  ProbeTarget nowhere = asking(1, {});
  nowhere.device = "no-such-link";
  UdpProbe probe(loop, nowhere);
  const ProbeResult said = result_of(loop, probe);
  EXPECT_EQ(said.kind, Kind::kNone);
  EXPECT_TRUE(said.reason.starts_with("no datagram by no-such-link: ")) << said.reason;
}

TEST(UdpProbe, KeepsNoDescriptor) {
  UdpServer server([](const std::string&, int) { return Answers{}; });
  EventLoop loop;
  const int before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    UdpProbe given_up(loop, asking(server.port(), {.timeout = milliseconds(10)}));
    UdpProbe refused(loop, asking(1, {}));
    UdpProbe destroyed(loop, asking(server.port(), {}));
    destroyed.start([](const ProbeResult&) { FAIL() << "called back after its end"; });
    result_of(loop, given_up, milliseconds(2));
    result_of(loop, refused);
  }
  for (int i = 0; i < 10; ++i) loop.run_once(milliseconds(5));
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace sluice::control
