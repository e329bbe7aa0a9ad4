// SPDX-License-Identifier: BSD-3-Clause
// What a check of a configuration that has been read needs: where a value stands, whether it was
// read well, and how to complain of it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

class Rules {
 protected:
  // Both outlive it; all has been read.
  Rules(const Config& config, Reader& reader);

  // Calls visit(path, value) for each value that was read well.
  template <class T, class Visit>
  void each(const std::string& list, const std::vector<T>& values, Visit visit) {
    for (size_t i = 0; i < values.size(); ++i) visit(fmt::format("{}[{}]", list, i), values[i]);
  }
  bool was_read(const std::string& path) const { return reader_.places.line(path).has_value(); }
  void problem(const std::string& path, std::string got, std::string expected) {
    reader_.problems.add(reader_.places.line(path).value_or(0), path, std::move(got),
                         std::move(expected));
  }
  // Values that must not come twice, each with the place where it was first seen.
  using Seen = std::unordered_map<std::string, std::string>;
  void once(Seen& seen, const std::string& path, const std::string& shown);
  // Whether a key of one of the list's tables, or the list itself, was not read.
  bool any_failed(const std::string& list, size_t count, const std::string& key) const;
  // The reachability of anything can be judged only when every interface and route was read.
  bool topology_was_read() const { return topology_was_read_; }

  const Config& config_;
  Reader& reader_;

 private:
  const bool topology_was_read_;
};

}  // namespace sluice::control
