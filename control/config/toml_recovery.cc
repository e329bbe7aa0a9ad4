// SPDX-License-Identifier: BSD-3-Clause
// Parses TOML with toml11, over again after each line that cannot be read.
#include "control/config/toml_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "control/common/text.h"
#include "control/config/config_schema.h"

namespace sluice::control {
namespace {

constexpr int kNestingMax = 64;  // toml11 goes down recursively: this bounds its stack
// What it takes grows with the square of a dotted key's parts, and with that of a line's length.
constexpr int kKeyPartsMax = 16;
constexpr size_t kLineMax = 16 * 1024;
constexpr int kRepairsMax = 32;
constexpr std::chrono::seconds kRepairsFor{2};  // each reads the whole text again
constexpr size_t kLineShownMax = 60;

constexpr std::string_view kBlanks = " \t\r";
constexpr std::string_view kBareKey =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

std::string_view skip(std::string_view text, std::string_view characters) {
  return text.substr(std::min(text.find_first_not_of(characters), text.size()));
}

// What a line looks like, whether or not it can be read.
struct LineShape {
  std::string key;     // of `key = ...`
  std::string header;  // of `[header]` and `[[header]]`
  bool opens_array = false;
};

LineShape shape_of(std::string_view line) {
  LineShape shape;
  const std::string_view text = skip(line, kBlanks);
  if (text.starts_with('[')) {
    const std::string_view name = skip(skip(text, "["), kBlanks);
    shape.header = name.substr(0, name.find_first_of("] \t\r#"));
    return shape;
  }
  const std::string_view rest = skip(text, kBareKey);
  const std::string_view value = skip(rest, kBlanks);
  if (rest.size() == text.size() || !value.starts_with('=')) return shape;
  shape.key = text.substr(0, text.size() - rest.size());
  shape.opens_array =
      skip(value.substr(1), kBlanks).starts_with('[') && value.find(']') == value.npos;
  return shape;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has_long_line(std::string_view text) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kLineMax) return true;
    begin = end + 1;
  }
  return false;
}

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  for (char c : text) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (c == '\n' && depth < 0) depth = 0;
    if (depth > kNestingMax) return true;
  }
  return false;
}

// Where TOML ends what began with the quotes at `at`; npos where it does not.
size_t end_of_string(std::string_view text, size_t at) {
  const char quote = text[at];
  const std::string_view opened = text.substr(at, 3);
  const bool multiline = opened.size() == 3 && opened[1] == quote && opened[2] == quote;
  const std::string close(multiline ? 3 : 1, quote);
  for (size_t i = at + close.size(); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text.substr(i, close.size()) == close) {
      i += close.size();
      // Up to two more of them belong to the text.
      for (int more = 0; multiline && more < 2 && i < text.size() && text[i] == quote; ++more) ++i;
      return i;
    } else if (text[i] == '\n' && !multiline) {
      return i;
    }
  }
  return text.npos;
}

// The line, from 1 on, of a key with too many parts; 0 where there is none. What is no TOML is read
// as toml11 reads it up to there, and it reads no further.
uint32_t line_of_long_key(std::string_view text) {
  int dots = 0;
  uint32_t line = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    size_t next = i + 1;
    if (c == '"' || c == '\'') {
      next = std::min(end_of_string(text, i), text.size());
    } else if (c == '#') {
      next = std::min(text.find('\n', i), text.size());
    } else if (c == '.') {
      if (++dots >= kKeyPartsMax) return line;
    } else if (kBlanks.find(c) == kBlanks.npos && kBareKey.find(c) == kBareKey.npos) {
      dots = 0;
    }
    if (next == i + 1) {
      line += c == '\n';
    } else {
      line += static_cast<uint32_t>(std::ranges::count(text.substr(i, next - i), '\n'));
    }
    i = next;
  }
  return 0;
}

std::string trimmed(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == line.npos) return "an empty line";
  std::string out;
  for (char c : line.substr(begin, kLineShownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7f ? '?' : c;
  }
  out.erase(out.find_last_not_of(" \t\r?") + 1);
  if (out.empty()) return "bytes that are no text";
  return line.size() - begin > kLineShownMax ? out + "..." : out;
}

std::string without_dots(std::string text) {
  while (text.ends_with('.')) text.pop_back();
  return text;
}

// The title and the remark about the place: "invalid line format: expected newline, but got '.'".
std::string reason_of(const std::string& what) {
  std::string title = what.substr(0, what.find('\n'));
  if (const size_t colon = title.find(": "); colon != title.npos) title = title.substr(colon + 2);
  title = without_dots(title);
  const size_t caret = what.rfind("^--- ");
  if (caret == what.npos) return title;
  std::string note = what.substr(caret + 5);
  note = without_dots(note.substr(0, note.find('\n')));
  return note.empty() || note == "here" ? title : title + ": " + note;
}

class Repair {
 public:
  Repair(std::string_view text, Problems& problems)
      : original_(split_lines(text)), lines_(original_), problems_(problems) {}

  std::string text() const { return join(lines_, "\n") + "\n"; }
  // toml11 3.7 reads beyond its buffer when a string is not UTF-8, and takes minutes for a long
  // line: it must not see such ones.
  void put_aside_what_hurts();
  // Notes what toml11 says of a line and puts it out of the way. False: no use in going on.
  bool put_aside(uint32_t line, const std::string& what);
  // The same for one that toml11 is not to see.
  void put_aside_long_key(uint32_t line);

 private:
  // The key on a line with the table it is in, or an empty string.
  std::string key_of(size_t index) const;
  std::string key_under(const std::string& header, size_t index) const;
  // An array that was never closed fails where the next key comes: its own line is the mistake.
  size_t opening_of(size_t index, const std::string& what) const;
  void replace(size_t index, bool keep_key);

  const std::vector<std::string> original_;
  std::vector<std::string> lines_;
  Problems& problems_;
};

std::string Repair::key_of(size_t index) const {
  std::string header;
  for (size_t i = index; i-- > 0 && header.empty();) header = shape_of(original_[i]).header;
  return key_under(header, index);
}

std::string Repair::key_under(const std::string& header, size_t index) const {
  const std::string key = shape_of(original_[index]).key;
  return key.empty() || header.empty() ? key : header + "." + key;
}

size_t Repair::opening_of(size_t index, const std::string& what) const {
  if (what.find("array") == what.npos || what.find("table") != what.npos) return index;
  for (size_t i = index + 1; i-- > 0;) {
    const LineShape shape = shape_of(lines_[i]);
    if (shape.opens_array) return i;
    if (i < index && !shape.header.empty()) break;
  }
  return index;
}

void Repair::replace(size_t index, bool keep_key) {
  const LineShape shape = shape_of(original_[index]);
  const std::string unreadable = fmt::format("\"\\u001F{}\"", kUnreadable.substr(1));
  lines_[index].clear();
  if (!shape.key.empty() && keep_key) lines_[index] = fmt::format("{} = {}", shape.key, unreadable);
  if (!shape.header.empty()) lines_[index] = fmt::format("[[{}]]", unreadable);
}

void Repair::put_aside_what_hurts() {
  std::string header;  // the last one so far: key_of() would look for it again and again
  for (size_t i = 0; i < lines_.size(); ++i) {
    const bool is_text = is_utf8(lines_[i]);
    const std::string own = shape_of(original_[i]).header;
    const std::string key = key_under(header, i);
    if (!own.empty()) header = own;
    if (is_text && lines_[i].size() <= kLineMax) continue;
    problems_.add(static_cast<uint32_t>(i + 1), key, trimmed(original_[i]),
                  is_text ? fmt::format("lines of at most {} bytes", kLineMax) : "text in UTF-8");
    replace(i, true);
  }
}

void Repair::put_aside_long_key(uint32_t line) {
  problems_.add(line, "", trimmed(original_[line - 1]),
                fmt::format("keys of at most {} parts", kKeyPartsMax));
  replace(line - 1, true);
}

bool Repair::put_aside(uint32_t line, const std::string& what) {
  if (lines_.empty()) return false;
  const size_t failed = std::min<size_t>(line == 0 ? 0 : line - 1, lines_.size() - 1);
  const size_t index = opening_of(failed, what);
  const bool twice = what.find("already exists") != what.npos;
  const bool is_new = lines_[index] == original_[index];
  if (!is_new && !twice) return false;
  if (is_new) {
    problems_.add(static_cast<uint32_t>(index + 1), key_of(index), trimmed(original_[index]),
                  twice             ? "each key once (it stands above already)"
                  : index != failed ? fmt::format("an array that is closed before line {}", line)
                                    : fmt::format("valid TOML ({})", reason_of(what)));
  }
  for (size_t i = index + 1; i < failed; ++i) lines_[i].clear();
  replace(index, !twice);
  return true;
}

}  // namespace

std::optional<toml::value> parse_toml(std::string_view text, Problems& problems) {
  if (text.size() > kTomlTextMax) {
    problems.add(0, "", fmt::format("{} bytes", text.size()),
                 fmt::format("at most {} bytes", kTomlTextMax));
    return std::nullopt;
  }
  if (nests_too_deep(text)) {
    problems.add(0, "", "brackets too deep in each other",
                 fmt::format("at most {} levels", kNestingMax));
    return std::nullopt;
  }
  std::optional<Repair> repair;  // most texts need none
  const auto repairing = [&]() -> Repair& {
    return repair ? *repair : repair.emplace(text, problems);
  };
  if (!is_utf8(text) || has_long_line(text)) repairing().put_aside_what_hurts();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRepairsMax; ++i) {
    if (i > 0 && std::chrono::steady_clock::now() - begin > kRepairsFor) break;
    const std::string readable = repair ? repair->text() : std::string(text) + "\n";
    if (const uint32_t line = line_of_long_key(readable)) {
      repairing().put_aside_long_key(line);
      continue;
    }
    std::istringstream stream(readable);
    try {
      return toml::parse(stream, "");
    } catch (const toml::exception& error) {
      if (!repairing().put_aside(error.location().line(), error.what())) return std::nullopt;
    } catch (const std::exception& error) {
      problems.add(0, "", "text that cannot be parsed", fmt::format("TOML ({})", error.what()));
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::control
