// SPDX-License-Identifier: BSD-3-Clause
// Checks by DNS against a server of the test's own on the loopback.
#include "control/daemon/health/dns_probe.h"

#include <gtest/gtest.h>

#include <set>

#include "control/daemon/health/dns_message.h"
#include "tests/unit/control/daemon/health/dns_wire.h"
#include "tests/unit/control/daemon/health/probe_run.h"
#include "tests/unit/control/daemon/health/udp_server.h"

namespace sluice::control {
namespace {

using dns_wire::answer;
using dns_wire::kFlags;
using dns_wire::kTruncated;
using dns_wire::record;
using std::chrono::milliseconds;
using Answers = std::vector<std::string>;
using Kind = ProbeResult::Kind;

const std::string kTen("\x0a\x02\x00\x0a", 4);

ProbeTarget asking_dns(uint16_t port, HealthCheckConfig check) {
  ProbeTarget to = target(port, CheckType::kDns);
  check.type = CheckType::kDns;
  check.dns_name = "web.example";
  to.check = std::move(check);
  return to;
}

ProbeResult dns(UdpServer::Answers answers, HealthCheckConfig check = {}) {
  UdpServer server(std::move(answers));
  EventLoop loop;
  DnsProbe probe(loop, asking_dns(server.port(), check));
  return result_of(loop, probe, check.timeout);
}

TEST(DnsProbe, JudgesTheAnswer) {
  const struct {
    unsigned flags;
    Answers records;
    HealthCheckConfig check;
    const char* reason;  // empty: good
  } cases[] = {
      {kFlags, {}, {}, ""},
      {kFlags, {record(1, kTen)}, {.dns_expect = "10.2.0.10"}, ""},
      {kFlags, {record(1, kTen)}, {.dns_expect = "10.2.0.1"}, "answer lacks \"10.2.0.1\""},
      {kFlags, {}, {.dns_expect = "10.2.0.1"}, "answer lacks \"10.2.0.1\""},
      {kFlags | 3, {}, {}, "answer NXDOMAIN"},
      {kFlags | 2, {record(1, kTen)}, {.dns_expect = "10.2.0.10"}, "answer SERVFAIL"},
      {kFlags | 3, {}, {.dns_rcode = {"NOERROR", "NXDOMAIN"}}, ""},
      {kFlags, {}, {.dns_rcode = {"REFUSED"}}, "answer NOERROR"},
      {kFlags | kTruncated, {}, {}, ""},
      {kFlags | kTruncated, {record(1, kTen)}, {.dns_expect = "10.2.0.10"}, ""},
      {kFlags | kTruncated, {}, {.dns_expect = "a"}, "answer was truncated, lacks \"a\""},
      {kFlags | kTruncated, {"\xc0"}, {.dns_expect = "a"}, "answer was truncated, lacks \"a\""},
      {kFlags, {"\xc0"}, {}, "a malformed answer"},
      {kFlags, {record(10, std::string(40000, 'a'))}, {}, "an answer of 40041 bytes"},
  };
  for (const auto& test : cases) {
    const ProbeResult said =
        dns([&](const std::string& query,
                int) { return Answers{answer(query, test.records, test.flags)}; },
            test.check);
    EXPECT_EQ(said.reason, test.reason);
    EXPECT_EQ(said.kind, *test.reason == '\0' ? Kind::kGood : Kind::kCritical);
  }
}

TEST(DnsProbe, AsksAsConfigured) {
  std::string query;
  dns(
      [&](const std::string& said, int) {
        query = said;
        return Answers{answer(said, {})};
      },
      {.dns_type = "SOA"});
  ASSERT_EQ(query.size(), 12u + 13 + 4);
  EXPECT_EQ(query.substr(12),
            dns_wire::name("web.example") + dns_wire::be16(6) + dns_wire::be16(1));
}

TEST(DnsProbe, WaitsPastWhatAnswersSomethingElse) {
  const auto strays = [](const std::string& query, bool and_right) {
    std::string other_id = answer(query, {});
    other_id[0] = static_cast<char>(other_id[0] ^ 1);
    Answers all{"",
                "short",
                other_id,
                query,
                std::string(65507, '\0'),
                answer(make_dns_query(0, "other.example", 1), {})};
    if (and_right) all.push_back(answer(query, {}));
    return all;
  };
  EXPECT_EQ(dns([&](const std::string& query, int) { return strays(query, true); }).kind,
            Kind::kGood);
  EXPECT_EQ(dns([&](const std::string& query,
                    int index) { return index == 0 ? strays(query, false) : Answers{}; },
                {.timeout = milliseconds(300)})
                .reason,
            "given up: no answer within 300 ms, but 6 to something else");
}

TEST(DnsProbe, TheSecondQueryIsTheFirstAndTheNextCheckHasAnother) {
  std::vector<std::string> queries;
  UdpServer server([&](const std::string& query, int index) {
    queries.push_back(query);
    return index % 2 == 0 ? Answers{} : Answers{answer(query, {})};
  });
  EventLoop loop;
  DnsProbe probe(loop, asking_dns(server.port(), {.timeout = milliseconds(100)}));
  std::set<std::string> ids;
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(result_of(loop, probe).kind, Kind::kGood);
    ASSERT_EQ(queries.size(), 2 * i + 2);
    EXPECT_EQ(queries[2 * i], queries[2 * i + 1]);
    ids.insert(queries[2 * i].substr(0, 2));
  }
  EXPECT_GT(ids.size(), 4u);  // of eight drawn from 65,536
}

TEST(DnsProbe, AClosedPortIsSaidAtOnce) {
  EventLoop loop;
  DnsProbe probe(loop, asking_dns(1, {.timeout = milliseconds(4000)}));
  EXPECT_EQ(result_of(loop, probe).reason, "port unreachable (ICMP)");
}

}  // namespace
}  // namespace sluice::control
