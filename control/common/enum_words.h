// SPDX-License-Identifier: BSD-3-Clause
// The words of an enumeration, once: from one table they are read, printed and listed.
//
//   template <>
//   inline constexpr std::array kWordsOf<OnDown> = {
//       EnumWord{"keep", OnDown::kKeep}, EnumWord{"reset", OnDown::kReset}};
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace sluice::control {

template <class Enum>
struct EnumWord {
  std::string_view word;
  Enum value;
};
template <class Enum>
EnumWord(const char*, Enum) -> EnumWord<Enum>;

// Specialised beside each enumeration.
template <class Enum>
inline constexpr std::array<EnumWord<Enum>, 0> kWordsOf{};

template <class Enum>
constexpr std::string_view word_of(Enum value) {
  static_assert(!kWordsOf<Enum>.empty(), "this enumeration has no table of words");
  for (const auto& entry : kWordsOf<Enum>) {
    if (entry.value == value) return entry.word;
  }
  return "?";
}

template <class Enum>
requires(std::is_enum_v<Enum> && !kWordsOf<Enum>.empty()) constexpr std::string_view
    to_string(Enum value) {
  return word_of(value);
}

template <class Enum>
constexpr std::optional<Enum> value_of(std::string_view word) {
  static_assert(!kWordsOf<Enum>.empty(), "this enumeration has no table of words");
  for (const auto& entry : kWordsOf<Enum>) {
    if (entry.word == word) return entry.value;
  }
  return std::nullopt;
}

template <class Enum>
std::vector<std::string> words_of() {
  static_assert(!kWordsOf<Enum>.empty(), "this enumeration has no table of words");
  std::vector<std::string> words;
  for (const auto& entry : kWordsOf<Enum>) words.emplace_back(entry.word);
  return words;
}

// `"keep" | "reset"`: for what is said of a word that is none of them.
inline std::string one_of(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += " | ";
    out.append("\"").append(word).append("\"");
  }
  return out;
}

}  // namespace sluice::control
