// SPDX-License-Identifier: BSD-3-Clause
// Finds the entry, checks the parameters, says by name what does not fit.
#include "control/daemon/api/api_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "control/common/api_answer.h"
#include "control/common/text.h"
#include "control/config/address_text.h"
#include "control/config/config_schema.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr const char* kCommand = "command";  // names the call
constexpr size_t kNearCalls = 3;

// Short, for an error.
std::string shown_value(const json& value) {
  if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
  if (value.is_object()) return "an object";
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  return dumped(value, -1);
}

ValueKind text_that(std::string expected, bool (*fits)(const std::string& text)) {
  return {std::move(expected),
          [fits](const json& value) {
            return value.is_string() && fits(value.get_ref<const std::string&>());
          },
          {}};
}

bool is_host_text(const std::string& text) {
  return parse_endpoint(text).has_value() || parse_ip(text).has_value();
}

void check_members(const std::string& prefix, const json& object, const Parameters& known);

void check_value(const std::string& path, const json& value, const ValueKind& kind) {
  if (!kind.fits(value)) {
    throw RequestError(
        fmt::format("{}: got {}, expected {}", path, shown_value(value), kind.expected));
  }
  if (value.is_object()) check_members(path + ".", value, kind.members);
}

// One that is not known would be passed over, and what it asks for would not be done.
void refuse_unknown(const std::string& prefix, const std::string& name, const Parameters& known) {
  std::vector<std::string> names;
  for (const Parameter& parameter : known) names.push_back(parameter.name);
  throw RequestError(fmt::format("{} is not known here, expected {}", in_quotes(prefix + name),
                                 names.empty() ? "no parameter" : "one of " + join(names, ", ")));
}

void check_members(const std::string& prefix, const json& object, const Parameters& known) {
  for (const auto& [name, value] : object.items()) {
    if (prefix.empty() && name == kCommand) continue;
    const auto found = std::ranges::find(known, name, &Parameter::name);
    if (found == known.end()) refuse_unknown(prefix, name, known);
    check_value(prefix + name, value, found->kind);
  }
  for (const Parameter& parameter : known) {
    if (!parameter.required || object.contains(parameter.name)) continue;
    throw RequestError(fmt::format("{}{}: got nothing, expected {}", prefix, parameter.name,
                                   parameter.kind.expected));
  }
}

}  // namespace

Parameter required(std::string name, ValueKind kind) {
  return {std::move(name), std::move(kind), true};
}

Parameter optional(std::string name, ValueKind kind) {
  return {std::move(name), std::move(kind), false};
}

ValueKind any_text() {
  return text_that("a text", [](const std::string&) { return true; });
}

ValueKind flag() {
  return {"true or false", [](const json& value) { return value.is_boolean(); }, {}};
}

ValueKind integer(IntegerRange range) {
  return {fmt::format("an integer {}..{}", range.min, range.max),
          [range](const json& value) {
            return value.is_number_unsigned() && value.get<uint64_t>() <= INT64_MAX &&
                   range.contains(value.get<int64_t>());
          },
          {}};
}

ValueKind any_count() {
  return {"an integer from 0 on", [](const json& value) { return value.is_number_unsigned(); }, {}};
}

ValueKind word(const std::vector<std::string>& words) {
  return {one_of(words),
          [words](const json& value) {
            return value.is_string() &&
                   std::ranges::find(words, value.get_ref<const std::string&>()) != words.end();
          },
          {}};
}

ValueKind endpoint() {
  return text_that("\"address:port\" (port 1..65535)",
                   [](const std::string& text) { return parse_endpoint(text).has_value(); });
}

ValueKind host() {
  return text_that("\"address\" or \"address:port\" (port 1..65535)", is_host_text);
}

ValueKind host_or_network() {
  return text_that(
      "\"address\", \"address:port\" (port 1..65535) or \"network/length\"",
      [](const std::string& text) { return is_host_text(text) || parse_prefix(text).has_value(); });
}

ValueKind object(Parameters members) {
  return {"an object", [](const json& value) { return value.is_object(); }, std::move(members)};
}

const ApiCall& ApiCalls::call_named(const json& request) const {
  const auto given = request.find(kCommand);
  if (given == request.end() || !given->is_string()) {
    throw RequestError(fmt::format("{}: got {}, expected the name of a call", kCommand,
                                   given == request.end() ? "nothing" : shown_value(*given)));
  }
  const std::string& name = given->get_ref<const std::string&>();
  const auto call = std::ranges::find(calls_, name, &ApiCall::name);
  if (call != calls_.end()) return *call;
  std::vector<std::string> names;
  for (const ApiCall& each : calls_) names.emplace_back(each.name);
  throw RequestError(fmt::format("unknown command {}; the nearest: {}", in_quotes(name),
                                 join(near_ones(name, names, kNearCalls), ", ")));
}

const ApiCall& ApiCalls::check(const json& request, Access allowed) const {
  const ApiCall& call = call_named(request);
  if (call.access == Access::kWrite && allowed != Access::kWrite) {
    throw RequestError(
        fmt::format("\"{}\" is not for control.read_socket, which only shows: ask at "
                    "control.socket, as root or as the user that runs sluice",
                    call.name));
  }
  check_members("", request, call.parameters);
  return call;
}

}  // namespace sluice::control
