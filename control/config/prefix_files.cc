// SPDX-License-Identifier: BSD-3-Clause
// Line by line; a file that several lists name is read once.
#include "control/config/prefix_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "control/common/unique_fd.h"
#include "control/config/prefix_text.h"

namespace sluice::control {
namespace {

constexpr size_t kFileBytesMax = 64 << 20;
constexpr size_t kMistakesMax = 20;  // of one file

using Prefixes = std::shared_ptr<const std::vector<IpPrefix>>;

// What is wrong with the file as a whole, or nothing.
std::string read_text(const std::string& path, std::string& text) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return std::strerror(errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "not a regular file";
  char chunk[65536];
  for (ssize_t count; (count = read(fd.get(), chunk, sizeof chunk)) != 0;) {
    if (count < 0) return std::strerror(errno);
    text.append(chunk, static_cast<size_t>(count));
    if (text.size() > kFileBytesMax) return fmt::format("more than {} MiB", kFileBytesMax >> 20);
  }
  return {};
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  line = line.substr(0, line.find('#'));
  const size_t first = line.find_first_not_of(kBlanks);
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

class PrefixFiles {
 public:
  explicit PrefixFiles(Reader& reader) : reader_(reader) {}

  void read(PrefixFile& file, const std::string& key) {
    if (file.path.empty()) return;
    const auto [found, is_new] = known_.try_emplace(file.path);
    if (is_new) found->second = load(file.path, key);
    file.prefixes = found->second;
  }
  void read(AccessConfig& access, const std::string& table) {
    read(access.allow_file, table + ".allow_file");
    read(access.deny_file, table + ".deny_file");
  }

 private:
  Prefixes load(const std::string& path, const std::string& key) {
    std::string text;
    const std::string wrong = read_text(path, text);
    if (!wrong.empty()) {
      reader_.problems.add(reader_.places.line(key).value_or(0), key,
                           fmt::format("{} ({})", in_quotes(path), wrong),
                           "a file of prefixes that can be read");
      return std::make_shared<const std::vector<IpPrefix>>();
    }
    std::vector<IpPrefix> prefixes;
    uint32_t line = 1;
    size_t mistakes = 0;
    for (size_t at = 0; at < text.size(); ++line) {
      const size_t end = std::min(text.find('\n', at), text.size());
      const std::string_view entry = trimmed(std::string_view(text).substr(at, end - at));
      at = end + 1;
      if (entry.empty()) continue;
      std::string why;
      if (const auto prefix = parse_source_prefix(entry, why)) {
        prefixes.push_back(*prefix);
      } else if (++mistakes <= kMistakesMax) {
        std::string expected(kPrefixExpected);
        if (!why.empty()) expected += fmt::format(" ({})", why);
        reader_.problems.add_in_file(path, line, in_quotes(entry), std::move(expected));
      }
    }
    if (mistakes > kMistakesMax) {
      reader_.problems.add_in_file(
          path, 0, fmt::format("{} more mistakes", mistakes - kMistakesMax), "none");
    }
    return std::make_shared<const std::vector<IpPrefix>>(std::move(prefixes));
  }

  Reader& reader_;
  std::map<std::string, Prefixes> known_;
};

}  // namespace

void read_prefix_files(Config& config, Reader& reader) {
  PrefixFiles files(reader);
  files.read(config.guard, "guard");
  for (size_t i = 0; i < config.services.size(); ++i) {
    files.read(config.services[i].guard.access, fmt::format("service[{}].guard", i));
  }
}

}  // namespace sluice::control
