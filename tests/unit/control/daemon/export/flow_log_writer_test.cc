// SPDX-License-Identifier: BSD-3-Clause
// A record's line is JSON, and says what the record says.
#include "control/daemon/export/flow_log_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "control/config/address_text.h"
#include "tests/unit/dataplane/net/frame_builder.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using test::endpoint;
using test::ip4;

FlowRecord record() {
  FlowRecord record{};
  record.client = endpoint(ip4(10, 1, 0, 7), 40000);
  record.vip = endpoint(ip4(10, 3, 0, 1), 80);
  record.local = endpoint(ip4(10, 2, 0, 1), 1024);
  record.backend = endpoint(ip4(10, 2, 0, 10), 8080);
  record.start_ms = 1'700'000'000'007;
  record.end_ms = 1'700'000'001'000;
  record.bytes_in = 70;
  record.bytes_out = uint64_t{1} << 40;
  record.end = FlowEnd::backend_fin;
  record.state = FlowState::kBackendFirst;
  record.reuse = PortReuse::kRebased;
  record.adjust = {0, 5};
  record.heals = 1;
  record.syns = 2;
  return record;
}

TEST(FlowLog, ALineIsWhatTheRecordSays) {
  std::string lines;
  append_flow(lines, record(), json("w\"eb").dump());
  EXPECT_EQ(lines.back(), '\n');
  EXPECT_EQ(json::parse(lines), json::parse(R"({
    "service": "w\"eb", "protocol": "tcp", "client": "10.1.0.7:40000", "vip": "10.3.0.1:80",
    "local": "10.2.0.1:1024", "backend": "10.2.0.10:8080", "start": 1700000000.007,
    "end": 1700000001.000, "duration_ms": 993, "bytes_in": 70, "bytes_out": 1099511627776,
    "closed_by": "backend_fin", "reason": "closed", "state": "backend_first", "port": "rebased",
    "fix": "tsval", "rewritten": false, "heals": 1, "syns": 2})"));
}

TEST(FlowLog, Ipv6StandsInBrackets) {
  FlowRecord some = record();
  some.client = *parse_endpoint("[fd00:1::7]:40000");
  some.vip = *parse_endpoint("[fd00:3::1]:80");
  std::string lines;
  append_flow(lines, some, "null");
  const json line = json::parse(lines);
  EXPECT_EQ(line["client"], "[fd00:1::7]:40000");
  EXPECT_EQ(line["vip"], "[fd00:3::1]:80");
  EXPECT_EQ(line["backend"], "10.2.0.10:8080") << "one family outside, another inside";
}

TEST(FlowLog, ARefusedSynHasALineOfItsOwn) {
  FlowRecord refused{};
  refused.client = endpoint(ip4(10, 1, 0, 7), 40000);
  refused.vip = endpoint(ip4(10, 3, 0, 1), 80);
  refused.end_ms = 1'700'000'001'000;
  refused.is_refusal = true;
  refused.refusal = net::DropReason::ports_exhausted;
  std::string lines;
  append_flow(lines, refused, json("web").dump());
  EXPECT_EQ(lines.back(), '\n');
  EXPECT_EQ(json::parse(lines), json::parse(R"({"service": "web", "protocol": "tcp",
    "client": "10.1.0.7:40000", "vip": "10.3.0.1:80", "time": 1700000001.000,
    "refused": "ports_exhausted"})"));
}

TEST(FlowLog, EveryFixAndEveryEndHasItsWord) {
  const auto written = [](const FlowRecord& record) {
    std::string line;
    append_flow(line, record, "null");
    return json::parse(line);
  };
  FlowRecord some = record();
  some.adjust = {};
  EXPECT_EQ(written(some)["fix"], "none");
  some.adjust = {9, 0};
  EXPECT_EQ(written(some)["fix"], "sequence");
  some.adjust = {9, 9};
  EXPECT_EQ(written(some)["fix"], "both");
  some.end = FlowEnd::heal_exhausted;
  EXPECT_EQ(written(some)["closed_by"], "balancer");
  EXPECT_EQ(written(some)["reason"], "heal_exhausted");
  some.end = FlowEnd::refused;
  EXPECT_EQ(written(some)["closed_by"], "backend_rst");
}

}  // namespace
}  // namespace sluice::control
