// SPDX-License-Identifier: BSD-3-Clause
// toml11, made fit for long files. Include this, never <toml.hpp> itself.
//
// toml11 finds out what a line is by trying, and puts a whole message together for each try that
// fails: four of them a line, with a copy of the line, a picture of it and a stringstream. That is
// a third of its time. Messages here are the title and the remarks, all that toml_recovery.cc
// shows. They stand in for toml11's own by the guard of the header that has those.
//
// It also takes keys, blanks and strings apart into characters and makes an object of each, with a
// shared pointer. Here they are taken in one piece, by specialisations of its combinators.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <toml/region.hpp>
#include <utility>
#include <vector>

#ifdef TOML11_SOURCE_LOCATION_HPP
#error "include control/config/toml11.h before any header of toml11"
#endif
#define TOML11_SOURCE_LOCATION_HPP

namespace toml {

/// Lines and columns count from 1, columns in bytes.
struct source_location {
  source_location() = default;
  explicit source_location(const detail::region_base* region) {
    if (region == nullptr || region->line_num() == detail::region_base().line_num()) return;
    line_ = static_cast<uint_least32_t>(std::stoul(region->line_num()));
    column_ = static_cast<uint_least32_t>(region->before() + 1);
    size_ = static_cast<uint_least32_t>(region->size());
  }
  explicit source_location(const detail::region& region) : source_location(&region) {}
  /// Without its column, which takes a look back over the line.
  explicit source_location(const detail::location& at)
      : line_(static_cast<uint_least32_t>(std::stoul(at.line_num()))) {}

  uint_least32_t line() const noexcept { return line_; }
  uint_least32_t column() const noexcept { return column_; }
  uint_least32_t region() const noexcept { return size_; }

 private:
  uint_least32_t line_ = 1;
  uint_least32_t column_ = 1;
  uint_least32_t size_ = 1;
};

namespace detail {

/// The title, and a line for each remark; "^--- " stands before one about a single place.
inline std::string format_underline(
    std::string_view title,
    std::initializer_list<std::pair<source_location, std::string_view>> remarks,
    const std::vector<std::string>& = {}, bool = false) {
  std::string message;
  message.reserve(title.size() + 64);
  message.append("[error] ").append(title);
  for (const auto& [at, remark] : remarks) {
    message.append(at.region() == 1 ? "\n^--- " : "\n~ ").append(remark);
  }
  return message;
}

}  // namespace detail
}  // namespace toml

#include <toml/lexer.hpp>

namespace toml::detail {

/// The characters from here on that fit, if they are `least` at least.
template <class Fits>
result<region, none_t> lex_run(location& at, ptrdiff_t least, Fits fits) {
  const auto first = at.iter();
  const auto last = std::find_if_not(first, at.end(), fits);
  if (last - first < least) return none();
  at.advance(last - first);
  return ok(region(at, first, last));
}

constexpr bool is_bare_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// Of a string in double quotes, what stands for itself.
constexpr bool is_unescaped(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 || byte == '\t') && byte != 0x7f && byte != '"' && byte != '\\';
}

template <>
struct repeat<either<lex_alpha, lex_digit, character<'-'>, character<'_'>>, at_least<1>> {
  static result<region, none_t> invoke(location& at) { return lex_run(at, 1, is_bare_key); }
};
template <>
struct repeat<lex_wschar, at_least<1>> {
  static result<region, none_t> invoke(location& at) {
    return lex_run(at, 1, [](char c) { return c == ' ' || c == '\t'; });
  }
};

template <>
struct repeat<lex_basic_unescaped, unlimited> {
  static result<region, none_t> invoke(location& at) { return lex_run(at, 0, is_unescaped); }
};

template <>
struct repeat<lex_basic_char, unlimited> {
  static result<region, none_t> invoke(location& at) {
    const auto first = at.iter();
    do {
      at.advance(std::find_if_not(at.iter(), at.end(), is_unescaped) - at.iter());
    } while (lex_escaped::invoke(at).is_ok());
    return ok(region(at, first, at.iter()));
  }
};

}  // namespace toml::detail

#include <toml.hpp>

static_assert(TOML11_VERSION_MAJOR == 3 && TOML11_VERSION_MINOR == 7,
              "another toml11 may have other headers and other messages");
