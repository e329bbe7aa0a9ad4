// SPDX-License-Identifier: BSD-3-Clause
// sluicectl why: times as they are typed, and records in the sentences of a trace.
#include "control/cli/why_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(WhyCommand, SinceIsReadInUnits) {
  EXPECT_EQ(parse_seconds("90"), 90u);
  EXPECT_EQ(parse_seconds("90s"), 90u);
  EXPECT_EQ(parse_seconds("10m"), 600u);
  EXPECT_EQ(parse_seconds("2h"), 7200u);
  EXPECT_EQ(parse_seconds("1d"), 86400u);
  for (const char* bad : {"", "m", "0", "10x", "-1", "1.5h", "8d", "99999999999", "10m "}) {
    EXPECT_EQ(parse_seconds(bad), std::nullopt) << bad;
  }
}

TEST(WhyCommand, ARefusalIsSaidAsATraceSaysIt) {
  const json answer = json::parse(R"({"why": [{
      "time_ms": 1, "worker": 2, "protocol": "tcp", "client": "10.1.0.1:3450",
      "vip": "10.3.0.1:80", "outcome": "refused", "from": "client", "before": null,
      "in": {"source": "10.1.0.1:3450", "destination": "10.3.0.1:80", "flags": "SYN", "seq": 7,
             "ack": 0, "window": 64240, "payload_bytes": 0, "ttl": 64},
      "verdict": "dropped", "reason": "no_backend", "meaning": "nobody is there"}],
      "more": true, "oldest_ms": 1})");
  const std::string text = render_why(answer, "10.1.0.1", "10m");
  EXPECT_THAT(text, HasSubstr("tcp 10.1.0.1:3450 to 10.3.0.1:80, worker 2: refused\n"));
  EXPECT_THAT(text, HasSubstr("    parsed     10.1.0.1:3450 > 10.3.0.1:80  SYN  seq 7 ack 0"));
  EXPECT_THAT(text, HasSubstr("    verdict    dropped, no_backend: nobody is there\n"));
  EXPECT_THAT(text, HasSubstr("... and older ones: --limit\n"));
}

TEST(WhyCommand, AnEndSaysWhatWasBefore) {
  const json answer = json::parse(R"({"why": [{
      "time_ms": 1, "worker": 0, "protocol": "tcp", "client": "10.1.0.1:3450",
      "vip": "10.3.0.1:80", "outcome": "failed", "in": null, "age_ms": 60000, "syn_seq": 9,
      "syns": 2,
      "before": {"local": "10.2.0.1:1028", "backend": "10.2.0.10:80", "state": "syn_sent",
                 "port": "fresh", "ts_offset": 5, "seq_offset": 0, "rewritten": false, "heals": 3},
      "verdict": "ended", "reason": "timed_out", "meaning": "no answer"},
     {"time_ms": 2, "protocol": "tcp", "outcome": "healed", "before": {"heals": 3},
      "verdict": "healed"}]})");
  const std::string text = render_why(answer, "10.1.0.1", "10m");
  EXPECT_THAT(text, HasSubstr("    SYN        seq 9, sent twice, 1m00s before\n"));
  EXPECT_THAT(text, HasSubstr("    state      syn_sent\n"));
  EXPECT_THAT(text, HasSubstr("    port       10.2.0.1:1028 towards 10.2.0.10:80, fresh: never"));
  EXPECT_THAT(text, HasSubstr("    fix        TSval +5\n"));
  EXPECT_THAT(text, HasSubstr("    verdict    ended, timed_out: no answer\n"));
  EXPECT_THAT(text, HasSubstr("    verdict    healed, stale answers met: 3\n"));
}

TEST(WhyCommand, NothingIsAnAnswer) {
  EXPECT_EQ(
      render_why(json::parse(R"({"why": [], "more": false, "oldest_ms": null})"), "10.1.0.1", "2h"),
      "no handshake of 10.1.0.1 was refused, failed, was reset or had to be healed in the "
      "last 2h\n");
}

}  // namespace
}  // namespace sluice::control
