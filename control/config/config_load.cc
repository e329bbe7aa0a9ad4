// SPDX-License-Identifier: BSD-3-Clause
// Reads a configuration: text, TOML, typed values, checks. Whatever fails, the rest is still
// judged.
#include "control/config/config_load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "control/common/unique_fd.h"
#include "control/config/config_check.h"
#include "control/config/config_keys.h"
#include "control/config/prefix_files.h"
#include "control/config/toml_recovery.h"

namespace sluice::control {
namespace {

constexpr size_t kFileMax = kTomlTextMax + 1;  // one too many is refused, and need not be read
constexpr size_t kProblemsMax = 200;           // nobody reads more, and a log has to take them

LoadedConfig unreadable(const std::string& got) {
  LoadedConfig loaded;
  loaded.problems.push_back({0, "", got, "a configuration file that can be read"});
  return loaded;
}

}  // namespace

LoadedConfig parse_config(std::string_view text) {
  LoadedConfig loaded;
  Reader reader;
  if (auto value = parse_toml(text, reader.problems)) {
    read_table(*value, "", config_keys(), loaded.config, reader);
    read_prefix_files(loaded.config, reader);
    check_config(loaded.config, reader, loaded.warnings);
  }
  loaded.problems = reader.problems.sorted();
  if (const size_t count = loaded.problems.size(); count > kProblemsMax) {
    loaded.problems.resize(kProblemsMax);
    loaded.problems.push_back(
        {0, "", fmt::format("{} more mistakes", count - kProblemsMax), "none"});
  }
  loaded.text = text;
  return loaded;
}

LoadedConfig load_config(const std::string& file) {
  UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return unreadable(std::strerror(errno));
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return unreadable(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return unreadable("a directory");
  std::string text;
  char chunk[16384];
  ssize_t count = 0;
  while (text.size() < kFileMax && (count = read(fd.get(), chunk, sizeof chunk)) > 0) {
    text.append(chunk, static_cast<size_t>(count));
  }
  if (count < 0) return unreadable(std::strerror(errno));
  return parse_config(text);
}

std::string describe(const std::vector<Problem>& problems, const std::string& file) {
  std::string out;
  for (const Problem& problem : problems) {
    out += problem.file.empty() ? file : problem.file;
    if (problem.line > 0) out += fmt::format(":{}", problem.line);
    if (!problem.key.empty()) out += fmt::format(": {}", problem.key);
    out += fmt::format(": got {}, expected {}\n", problem.got, problem.expected);
  }
  return out;
}

}  // namespace sluice::control
