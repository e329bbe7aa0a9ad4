// SPDX-License-Identifier: BSD-3-Clause
// Asks for rows, of flows until there are enough of them, and prints a table.
#include "control/cli/show_command.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "control/cli/table.h"
#include "control/common/api_answer.h"
#include "control/common/errors.h"
#include "control/common/ranges.h"
#include "control/common/text.h"

namespace sluice::control {
namespace {

using nlohmann::json;

struct ShowOptions {
  std::string what;
  bool wide = false;
  uint32_t limit = 100;
  std::string client, backend, service, state;  // of flows; empty: any
  std::optional<uint32_t> age_min_s, age_max_s;
};

json filter_of(const ShowOptions& options) {
  json filter = json::object();
  const auto add = [&filter](const char* key, const auto& value, bool given) {
    if (given) filter[key] = value;
  };
  add("client", options.client, !options.client.empty());
  add("backend", options.backend, !options.backend.empty());
  add("service", options.service, !options.service.empty());
  add("state", options.state, !options.state.empty());
  add("age_min_s", options.age_min_s.value_or(0), options.age_min_s.has_value());
  add("age_max_s", options.age_max_s.value_or(0), options.age_max_s.has_value());
  return filter;
}

// A sluice does a bounded part of the search for each question, and says where to go on.
json ask_flows(const Session& session, const ShowOptions& options) {
  const json filter = filter_of(options);
  json request = {{"command", "show"}, {"what", "flows"}, {"filter", filter}};
  json rows = json::array();
  while (true) {
    request["limit"] = options.limit - rows.size();
    json answer = session.ask(request);
    if (!filter.empty() && !answer.contains("next")) {
      throw ApiError("the running sluice is older and cannot filter flows");
    }
    for (const json& row : list_field(answer, "flows")) rows.push_back(row);
    const json& next = field(answer, "next");
    if (next.is_null() || rows.size() >= options.limit) {
      answer["flows"] = std::move(rows);
      answer["more"] = !next.is_null();
      return answer;
    }
    request["cursor"] = next;
  }
}

// The first question begins the sampling; a later one has something to tell.
json ask_stages(const Session& session) {
  constexpr double kSampleMs = 3000;
  const json request = {{"command", "show"}, {"what", "stages"}};
  json answer = session.ask(request);
  const double sampled_ms = number_field(answer, "sampled_ms");
  if (sampled_ms >= kSampleMs) return answer;
  std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(kSampleMs - sampled_ms));
  return session.ask(request);
}

json answer_of(const Session& session, const ShowOptions& options) {
  if (options.what == "flows") return ask_flows(session, options);
  if (options.what == "stages") return ask_stages(session);
  return session.ask({{"command", "show"}, {"what", options.what}});
}

int run_show(const Session& session, const ShowOptions& options) {
  if (options.what.empty()) {
    throw CLI::ValidationError("show", "say what: " + join(table_names(), ", "));
  }
  const bool flows = options.what == "flows";
  if (!flows && !filter_of(options).empty()) {
    throw CLI::ValidationError("show", "only flows can be filtered");
  }
  const json result = answer_of(session, options);
  const bool more = flag_field(result, "more") && field(result, "total").is_null();
  session.print(result,
                render_table(options.what, result, options.wide ? Width::kWide : Width::kTerminal) +
                    (more ? "... and more: --limit\n" : ""));
  return kAnswered;
}

void declare_show(CLI::App& app, ShowOptions& options) {
  app.add_option("what", options.what, "one of the list")->check(CLI::IsMember(table_names()));
  app.add_flag("--wide", options.wide, "all columns, uncut, however long the lines");
  app.add_option("--limit", options.limit, "flows: at most so many rows")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--client", options.client, "flows of a client: address[:port] or network");
  app.add_option("--backend", options.backend, "flows to: address[:port] or network");
  app.add_option("--service", options.service, "flows of a service, by its name");
  app.add_option("--state", options.state, "flows in a state, as in the column STATE");
  const auto seconds = CLI::Range(kFlowAgeSecondsRange.min, kFlowAgeSecondsRange.max);
  app.add_option("--age-min", options.age_min_s, "flows that are so many seconds old")
      ->check(seconds);
  app.add_option("--age-max", options.age_max_s, "flows that are no older than so many")
      ->check(seconds);
}

}  // namespace

Command show_command() {
  return command("show", "what sluice is doing", declare_show, run_show);
}

}  // namespace sluice::control
