// SPDX-License-Identifier: BSD-3-Clause
// Parses TOML with toml11, over again after each line that cannot be read.
#include "control/config_text.h"

#include <fmt/format.h>

#include <regex>
#include <sstream>

#include "control/config_schema.h"
#include "control/text.h"

namespace sluice::control {
namespace {

constexpr size_t kTextMax = 1 << 20;
constexpr int kNestingMax = 64;  // toml11 goes down recursively: this bounds its stack
constexpr int kRepairsMax = 32;
constexpr size_t kShownMax = 60;

const std::regex kKeyLine(R"(^\s*([A-Za-z0-9_-]+)\s*=.*)");
const std::regex kArrayLine(R"(^\s*([A-Za-z0-9_-]+)\s*=\s*\[[^\]]*$)");
const std::regex kHeaderLine(R"(^\s*\[+\s*([A-Za-z0-9_.-]+).*)");

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
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

std::string trimmed(const std::string& line) {
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == line.npos) return "an empty line";
  std::string out;
  for (char c : line.substr(begin, kShownMax)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte >= 0x7f ? '?' : c;
  }
  out.erase(out.find_last_not_of(" \t\r?") + 1);
  if (out.empty()) return "bytes that are no text";
  return line.size() - begin > kShownMax ? out + "..." : out;
}

std::string without_dots(std::string text) {
  while (text.ends_with('.')) text.pop_back();
  return text;
}

// toml11's title and the note under its caret, without its picture of the line:
// "invalid line format: expected newline, but got '.'".
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
  // Notes the problem and puts the line out of the way. False: no use in going on.
  bool put_aside(uint32_t line, const std::string& what);

 private:
  std::string section_of(size_t index) const;
  // An array that was never closed fails where the next key comes: its own line is the mistake.
  size_t opening_of(size_t index, const std::string& what) const;

  const std::vector<std::string> original_;
  std::vector<std::string> lines_;
  Problems& problems_;
};

std::string Repair::section_of(size_t index) const {
  std::smatch match;
  for (size_t i = index; i-- > 0;) {
    if (std::regex_match(original_[i], match, kHeaderLine)) return match[1].str() + ".";
  }
  return "";
}

size_t Repair::opening_of(size_t index, const std::string& what) const {
  if (what.find("array") == what.npos || what.find("table") != what.npos) return index;
  for (size_t i = index + 1; i-- > 0;) {
    if (std::regex_match(lines_[i], kArrayLine)) return i;
    if (i < index && std::regex_match(lines_[i], kHeaderLine)) break;
  }
  return index;
}

bool Repair::put_aside(uint32_t line, const std::string& what) {
  if (lines_.empty()) return false;
  const size_t failed = std::min<size_t>(line == 0 ? 0 : line - 1, lines_.size() - 1);
  const size_t index = opening_of(failed, what);
  const bool twice = what.find("already exists") != what.npos;
  std::smatch match;
  const bool is_key = std::regex_match(original_[index], match, kKeyLine);
  const std::string key = is_key ? section_of(index) + match[1].str() : "";
  if (lines_[index] != original_[index] && !twice) return false;
  if (lines_[index] == original_[index]) {
    problems_.add(index + 1, key, trimmed(original_[index]),
                  twice             ? "each key once (it stands above already)"
                  : index != failed ? fmt::format("an array that is closed before line {}", line)
                                    : fmt::format("valid TOML ({})", reason_of(what)));
  }
  for (size_t i = index + 1; i < failed; ++i) lines_[i].clear();
  const bool is_header = !is_key && std::regex_match(original_[index], kHeaderLine);
  if (is_key && !twice) {
    lines_[index] = fmt::format("{} = \"\\u001F{}\"", match[1].str(), kUnreadable.substr(1));
  } else {
    lines_[index] = is_header ? fmt::format("[[\"\\u001F{}\"]]", kUnreadable.substr(1)) : "";
  }
  return true;
}

}  // namespace

std::optional<toml::value> parse_toml(std::string_view text, Problems& problems) {
  if (text.size() > kTextMax) {
    problems.add(0, "", fmt::format("{} bytes", text.size()),
                 fmt::format("at most {} bytes", kTextMax));
    return std::nullopt;
  }
  if (nests_too_deep(text)) {
    problems.add(0, "", "brackets too deep in each other",
                 fmt::format("at most {} levels", kNestingMax));
    return std::nullopt;
  }
  Repair repair(text, problems);
  for (int i = 0; i < kRepairsMax; ++i) {
    std::istringstream stream(repair.text());
    try {
      return toml::parse(stream, "configuration");
    } catch (const toml::exception& error) {
      if (!repair.put_aside(error.location().line(), error.what())) return std::nullopt;
    } catch (const std::exception& error) {
      problems.add(0, "", "text that cannot be parsed", fmt::format("TOML ({})", error.what()));
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::control
