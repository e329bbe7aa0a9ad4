// SPDX-License-Identifier: BSD-3-Clause
// What can be wrong with a configuration, and where. Paths such as "service[0].backend[1].address"
// name a value; the places that the reader notes give each one its line again for the checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace sluice::control {

struct Problem {
  uint32_t line = 0;  // 0: the file as a whole
  std::string key;    // the path without its indices, or empty
  std::string got;
  std::string expected;
  std::string file = {};  // empty: the configuration's own
};

// "service[0].backend[1].address" -> "service.backend.address": the line says which one it is.
std::string without_indices(const std::string& path);

class Problems {
 public:
  void add(uint32_t line, const std::string& path, std::string got, std::string expected);
  // In another file than the configuration's.
  void add_in_file(std::string file, uint32_t line, std::string got, std::string expected);
  // Those of the configuration's own file first.
  std::vector<Problem> sorted() const;

 private:
  std::vector<Problem> problems_;
};

// Where each value that was read stands. A value that could not be read has no place: checks leave
// it alone, so that one mistake is reported once.
class Places {
 public:
  void note(std::string path, uint32_t line) { lines_.insert_or_assign(std::move(path), line); }
  std::optional<uint32_t> line(const std::string& path) const {
    auto found = lines_.find(path);
    if (found == lines_.end()) return std::nullopt;
    return found->second;
  }
  // Reading it failed, or something below it did.
  void note_failed(const std::string& path) { failed_.insert(path); }
  bool failed(const std::string& path) const { return failed_.contains(path); }

 private:
  std::unordered_map<std::string, uint32_t> lines_;
  std::unordered_set<std::string> failed_;
};

}  // namespace sluice::control
