// SPDX-License-Identifier: BSD-3-Clause
// The parts of the schema machinery that need no type: showing values, near names.
#include "control/config/config_schema.h"

#include <algorithm>
#include <numeric>

#include "control/common/text.h"

namespace sluice::control {
namespace {

constexpr size_t kShownMax = 60;

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string listed(const std::vector<std::string>& words) {
  return "one of " + join(words, ", ");
}

}  // namespace

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (char c : text.substr(0, kShownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (text.size() > kShownMax ? "...\"" : "\"");
}

std::string show(const toml::value& value) {
  switch (value.type()) {
    case toml::value_t::boolean:
      return value.as_boolean() ? "true (a boolean)" : "false (a boolean)";
    case toml::value_t::integer:
      return fmt::format("{} (an integer)", value.as_integer());
    case toml::value_t::floating:
      return fmt::format("{} (a float)", value.as_floating());
    case toml::value_t::string:
      return fmt::format("{} (a string)", in_quotes(value.as_string().str));
    case toml::value_t::array:
      return fmt::format("an array of {}", value.as_array().size());
    case toml::value_t::table:
      return "a table";
    case toml::value_t::empty:
      return "nothing";
    default:
      return "a date or time";
  }
}

bool is_unreadable(const toml::value& value) {
  return value.is_string() && value.as_string().str == kUnreadable;
}

std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  size_t best_distance = std::min<size_t>(3, word.size() / 2) + 1;
  if (word.size() > 64) return best;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::vector<std::string> near_ones(std::string_view word, std::vector<std::string> candidates,
                                   size_t count_max) {
  std::ranges::stable_sort(candidates, {}, [word](const std::string& candidate) {
    return edit_distance(word.substr(0, 64), candidate);
  });
  candidates.resize(std::min(candidates.size(), count_max));
  return candidates;
}

void report_unknown_key(Reader& reader, const toml::value& value, const std::string& path,
                        const std::string& name, const std::vector<std::string>& known) {
  if (name == kUnreadable || std::ranges::find(known, name) != known.end()) return;
  auto near = nearest(name, known);
  // A table that nobody knows stands where its header stands; toml11 says that line for both.
  reader.problems.add(reader.lines.line_of(value), path,
                      fmt::format("the unknown key {}", in_quotes(name)),
                      near ? fmt::format("\"{}\" (the nearest known key)", *near) : listed(known));
}

}  // namespace sluice::control
