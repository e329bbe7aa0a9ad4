// SPDX-License-Identifier: BSD-3-Clause
// What a request has to be before it is answered, and what is said of one that is not.
#include "control/daemon/api/api_call.h"

#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using nlohmann::json;

class ApiCallTest : public testing::Test {
 protected:
  std::string refusal_of(const json& request, Access allowed = Access::kWrite) {
    try {
      calls_.check(request, allowed);
    } catch (const RequestError& error) {
      return error.what();
    }
    return "";
  }

  ApiCalls calls_{{
      {"look",
       Access::kRead,
       {required("what", word({"up", "down"})), optional("limit", any_count()),
        optional("filter", object({optional("age", integer({0, 9})), required("host", host())}))},
       {}},
      {"turn",
       Access::kWrite,
       {optional("by", integer(kWeightRange)), optional("at", endpoint()), optional("all", flag()),
        optional("in", host_or_network()), optional("of", any_text())},
       {}},
      {"stop", Access::kWrite, {}, {}},
  }};
};

TEST_F(ApiCallTest, FindsTheEntry) {
  EXPECT_EQ(calls_.check({{"command", "turn"}, {"by", 1000u}}, Access::kWrite).name, "turn");
  EXPECT_EQ(calls_.check({{"command", "look"}, {"what", "up"}}, Access::kRead).name, "look");
}

TEST_F(ApiCallTest, NamesACallThatNobodyKnows) {
  EXPECT_EQ(refusal_of({{"command", "tern"}}),
            R"(unknown command "tern"; the nearest: turn, look, stop)");
  EXPECT_EQ(refusal_of(json::object()), "command: got nothing, expected the name of a call");
  EXPECT_EQ(refusal_of({{"command", 5}}), "command: got 5, expected the name of a call");
}

TEST_F(ApiCallTest, WhoMayOnlyLookChangesNothing) {
  EXPECT_EQ(refusal_of({{"command", "stop"}}, Access::kRead),
            "\"stop\" is not for control.read_socket, which only shows: ask at control.socket, as "
            "root or as the user that runs sluice");
}

TEST_F(ApiCallTest, NamesAParameterThatNobodyKnows) {
  EXPECT_EQ(refusal_of({{"command", "look"}, {"what", "up"}, {"limti", 3}}),
            R"("limti" is not known here, expected one of what, limit, filter)");
  EXPECT_EQ(refusal_of({{"command", "stop"}, {"all", true}}),
            R"("all" is not known here, expected no parameter)");
  const json filter = {{"host", "10.1.0.7"}, {"age_s", 3}};
  EXPECT_EQ(refusal_of({{"command", "look"}, {"what", "up"}, {"filter", filter}}),
            R"("filter.age_s" is not known here, expected one of age, host)");
}

TEST_F(ApiCallTest, NamesAParameterThatIsMissing) {
  EXPECT_EQ(refusal_of({{"command", "look"}}), R"(what: got nothing, expected "up" | "down")");
  EXPECT_EQ(refusal_of({{"command", "look"}, {"what", "up"}, {"filter", json::object()}}),
            R"(filter.host: got nothing, expected "address" or "address:port" (port 1..65535))");
}

TEST_F(ApiCallTest, NamesAValueThatDoesNotFit) {
  const struct {
    const char* name;
    json value;
    const char* said;
  } kCases[] = {
      {"by", 1001, "by: got 1001, expected an integer 0..1000"},
      {"by", -1, "by: got -1, expected an integer 0..1000"},
      {"by", UINT64_MAX, "by: got 18446744073709551615, expected an integer 0..1000"},
      {"by", 1.5, "by: got 1.5, expected an integer 0..1000"},
      {"by", "x", R"(by: got "x", expected an integer 0..1000)"},
      {"by", nullptr, "by: got null, expected an integer 0..1000"},
      {"at", "10.1.0.7", R"(at: got "10.1.0.7", expected "address:port" (port 1..65535))"},
      {"at", json::array({1, 2}),
       R"(at: got an array of 2, expected "address:port" (port 1..65535))"},
      {"all", 1, "all: got 1, expected true or false"},
      {"of", json::object(), "of: got an object, expected a text"},
      {"in", "10.1",
       R"(in: got "10.1", expected "address", "address:port" (port 1..65535) or )"
       R"("network/length")"},
  };
  for (const auto& each : kCases) {
    EXPECT_EQ(refusal_of({{"command", "turn"}, {each.name, each.value}}), each.said);
  }
}

TEST_F(ApiCallTest, TakesWhatFits) {
  EXPECT_EQ(refusal_of({{"command", "turn"},
                        {"by", 0u},
                        {"at", "10.1.0.7:80"},
                        {"all", false},
                        {"in", "10.1.0.0/16"},
                        {"of", ""}}),
            "");
  for (const char* host : {"fd00::7", "[fd00::7]:80", "fd00::/64"}) {
    EXPECT_EQ(refusal_of({{"command", "turn"}, {"at", "[fd00::7]:80"}, {"in", host}}), "") << host;
  }
  EXPECT_EQ(refusal_of({{"command", "look"},
                        {"what", "down"},
                        {"limit", UINT64_MAX},
                        {"filter", {{"host", "10.1.0.7"}, {"age", 9u}}}}),
            "");
}

}  // namespace
}  // namespace sluice::control
