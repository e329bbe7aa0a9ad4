// SPDX-License-Identifier: BSD-3-Clause
// The machinery under config_keys.cc: a configuration described as data.
//
// A Kind<T> says how one TOML value becomes a T and, in words, what was expected. A Key<Owner> ties
// a name to a member of Owner. read_table() walks a TOML table along a list of keys: it reports
// every value that does not fit, every required key that is missing and every key that is not in
// the list (naming the nearest one that is), and goes on to the end whatever it finds.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/config/config_problem.h"
#include "control/config/line_index.h"
#include "control/config/toml11.h"

namespace sluice::control {

struct Reader {
  Problems problems;
  Places places;
  LineIndex lines;
};

// What stands in the place of a value whose line could not be read at all. That line has been
// reported as a syntax error already, so its key is known and its value is passed over.
inline constexpr std::string_view kUnreadable = "\x1funreadable";

template <class T>
struct Kind {
  std::string expected;
  // Gives nothing when the value does not fit; `why` may then add a reason in brackets.
  std::function<std::optional<T>(const toml::value&, std::string& why)> convert;
};

template <class Owner>
struct Key {
  std::string name;
  bool required;
  std::string expected;
  std::function<void(const toml::value&, const std::string& path, Owner&, Reader&)> read;
};

template <class Owner>
using Keys = std::vector<Key<Owner>>;

enum class Need : bool { kOptional, kRequired };

struct Count {
  size_t min;
  size_t max;
};

std::string in_quotes(std::string_view text);  // short, and free of control characters
std::string show(const toml::value& value);    // `"text" (a string)`: what the file has there
// The candidate with the smallest edit distance when it is near enough to be a slip of the pen.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);
// The nearest candidates, whatever their distance, nearest first.
std::vector<std::string> near_ones(std::string_view word, std::vector<std::string> candidates,
                                   size_t count_max);
void report_unknown_key(Reader& reader, const toml::value& value, const std::string& path,
                        const std::string& name, const std::vector<std::string>& known);
bool is_unreadable(const toml::value& value);

template <class T>
std::optional<T> read_value(const toml::value& value, const std::string& path, const Kind<T>& kind,
                            Reader& reader) {
  std::string why;
  std::optional<T> converted = kind.convert(value, why);
  if (converted) {
    reader.places.note(path, reader.lines.line_of(value));
    return converted;
  }
  reader.places.note_failed(path);
  if (is_unreadable(value)) return std::nullopt;
  std::string expected = why.empty() ? kind.expected : fmt::format("{} ({})", kind.expected, why);
  reader.problems.add(reader.lines.line_of(value), path, show(value), expected);
  return std::nullopt;
}

template <class Owner>
void read_table(const toml::value& value, const std::string& path, const Keys<Owner>& keys,
                Owner& owner, Reader& reader) {
  if (!value.is_table()) {
    reader.places.note_failed(path);
    if (!is_unreadable(value)) {
      reader.problems.add(reader.lines.line_of(value), path, show(value), "a table");
    }
    return;
  }
  const std::string prefix = path.empty() ? "" : path + ".";
  const auto& table = value.as_table();
  size_t found_count = 0;
  for (const Key<Owner>& key : keys) {
    if (const auto found = table.find(key.name); found != table.end()) {
      ++found_count;
      key.read(found->second, prefix + key.name, owner, reader);
    } else if (key.required) {
      reader.places.note_failed(prefix + key.name);
      reader.problems.add(reader.lines.line_of(value), prefix + key.name, "nothing", key.expected);
    }
  }
  if (found_count == table.size()) return;
  std::vector<std::string> known;
  for (const Key<Owner>& key : keys) known.push_back(key.name);
  for (const auto& [name, child] : table) {
    report_unknown_key(reader, child, prefix + name, name, known);
  }
}

// A key with one value.
template <class Owner, class Member, class T>
Key<Owner> one(const char* name, Member Owner::*member, const Kind<T>& kind,
               Need need = Need::kOptional) {
  return {name, need == Need::kRequired, kind.expected,
          [=](const toml::value& value, const std::string& path, Owner& owner, Reader& reader) {
            if (auto read = read_value(value, path, kind, reader)) owner.*member = *read;
          }};
}

// A key with an array of values. Where one of them does not fit, the others are still read.
template <class Owner, class T>
Key<Owner> many(const char* name, std::vector<T> Owner::*member, const Kind<T>& kind, Count count,
                Need need = Need::kOptional) {
  std::string expected =
      fmt::format("an array of {} to {}, each {}", count.min, count.max, kind.expected);
  return {name, need == Need::kRequired, expected,
          [=](const toml::value& value, const std::string& path, Owner& owner, Reader& reader) {
            (owner.*member).clear();
            const bool fits = value.is_array() && value.as_array().size() >= count.min &&
                              value.as_array().size() <= count.max;
            if (!fits) {
              reader.places.note_failed(path);
              if (!is_unreadable(value)) {
                reader.problems.add(reader.lines.line_of(value), path, show(value), expected);
              }
              return;
            }
            reader.places.note(path, reader.lines.line_of(value));
            size_t index = 0;
            for (const toml::value& element : value.as_array()) {
              auto read = read_value(element, fmt::format("{}[{}]", path, index++), kind, reader);
              if (!read) reader.places.note_failed(path);
              // A failed one keeps its seat, so that the others' paths stay true.
              (owner.*member).push_back(read.value_or(T{}));
            }
          }};
}

// A key with a table of its own: [name].
template <class Owner, class T>
Key<Owner> table(const char* name, T Owner::*member, const Keys<T>& keys) {
  return {name, false, fmt::format("a table [{}]", name),
          [=, &keys](const toml::value& value, const std::string& path, Owner& owner,
                     Reader& reader) { read_table(value, path, keys, owner.*member, reader); }};
}

// The same, for a table whose absence means something.
template <class Owner, class T>
Key<Owner> table(const char* name, std::optional<T> Owner::*member, const Keys<T>& keys) {
  return {
      name, false, fmt::format("a table [{}]", name),
      [=, &keys](const toml::value& value, const std::string& path, Owner& owner, Reader& reader) {
        reader.places.note(path, reader.lines.line_of(value));
        read_table(value, path, keys, (owner.*member).emplace(), reader);
      }};
}

// For one who wrote [name].
inline std::string in_two_brackets(const std::string& path) {
  return fmt::format("[[{}]], in two brackets: there can be several", without_indices(path));
}

// A key with an array of tables: [[name]].
template <class Owner, class T>
Key<Owner> tables(const char* name, std::vector<T> Owner::*member, const Keys<T>& keys, Count count,
                  Need need = Need::kOptional) {
  std::string expected = count.min == 0
                             ? fmt::format("at most {} tables [[{}]]", count.max, name)
                             : fmt::format("{} to {} tables [[{}]]", count.min, count.max, name);
  return {
      name, need == Need::kRequired, expected,
      [=, &keys](const toml::value& value, const std::string& path, Owner& owner, Reader& reader) {
        if (!value.is_array() || value.as_array().size() < count.min ||
            value.as_array().size() > count.max) {
          reader.places.note_failed(path);
          if (!is_unreadable(value)) {
            reader.problems.add(reader.lines.line_of(value), path, show(value),
                                value.is_table() ? in_two_brackets(path) : expected);
          }
          return;
        }
        size_t index = 0;
        (owner.*member).reserve((owner.*member).size() + value.as_array().size());
        for (const toml::value& element : value.as_array()) {
          const std::string element_path = fmt::format("{}[{}]", path, index++);
          reader.places.note(element_path, reader.lines.line_of(element));
          read_table(element, element_path, keys, (owner.*member).emplace_back(), reader);
        }
      }};
}

}  // namespace sluice::control
