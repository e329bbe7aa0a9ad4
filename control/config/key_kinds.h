// SPDX-License-Identifier: BSD-3-Clause
// Kinds of values that keys of several tables have.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "control/common/enum_words.h"
#include "control/common/ranges.h"
#include "control/config/config_schema.h"

// Apart from the rest of control: the API has kinds of the same names.
namespace sluice::control::kinds {

inline Kind<uint32_t> integer(int64_t min, int64_t max) {
  return {fmt::format("an integer {}..{}", min, max),
          [=](const toml::value& value, std::string&) -> std::optional<uint32_t> {
            if (!value.is_integer()) return std::nullopt;
            const int64_t number = value.as_integer();
            if (number < min || number > max) return std::nullopt;
            return static_cast<uint32_t>(number);
          }};
}

inline Kind<uint32_t> integer(IntegerRange range) {
  return integer(range.min, range.max);
}

// A whole number of T, which the key's name says.
template <class T>
Kind<T> whole(int64_t min, int64_t max) {
  const Kind<uint32_t> number = integer(min, max);
  return {number.expected,
          [number](const toml::value& value, std::string& why) -> std::optional<T> {
            const auto count = number.convert(value, why);
            return count ? std::optional(T(*count)) : std::nullopt;
          }};
}

inline Kind<std::chrono::seconds> seconds(int64_t min, int64_t max) {
  return whole<std::chrono::seconds>(min, max);
}

inline Kind<std::chrono::milliseconds> milliseconds(int64_t min, int64_t max) {
  return whole<std::chrono::milliseconds>(min, max);
}

inline Kind<bool> boolean() {
  return {"true or false", [](const toml::value& value, std::string&) -> std::optional<bool> {
            if (!value.is_boolean()) return std::nullopt;
            return value.as_boolean();
          }};
}

inline Kind<std::string> text(std::string expected, size_t length_max) {
  return {std::move(expected),
          [=](const toml::value& value, std::string& why) -> std::optional<std::string> {
            if (!value.is_string()) return std::nullopt;
            const std::string& string = value.as_string().str;
            if (string.empty() || string == kUnreadable) return std::nullopt;
            if (string.size() > length_max) {
              why = fmt::format("at most {} bytes", length_max);
              return std::nullopt;
            }
            for (char c : string) {
              if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return std::nullopt;
            }
            return string;
          }};
}

// The words of an enumeration. Those of `later` are known, and refused as not supported yet.
template <class T>
Kind<T> choice(std::vector<std::string> later = {}) {
  return {one_of(words_of<T>()),
          [=](const toml::value& value, std::string& why) -> std::optional<T> {
            if (!value.is_string()) return std::nullopt;
            const std::string& word = value.as_string().str;
            if (const auto meaning = value_of<T>(word)) return meaning;
            if (std::ranges::find(later, word) != later.end()) {
              why = fmt::format("\"{}\" is not supported by this version", word);
            } else if (auto near = nearest(word, words_of<T>())) {
              why = fmt::format("the nearest is \"{}\"", *near);
            }
            return std::nullopt;
          }};
}

}  // namespace sluice::control::kinds
