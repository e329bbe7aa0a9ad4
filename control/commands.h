// SPDX-License-Identifier: BSD-3-Clause
// What the local API can be asked.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/balancer.h"

namespace sluice::control {

class Commands {
 public:
  Commands(Balancer& balancer, std::string config_file)
      : balancer_(balancer), config_file_(std::move(config_file)) {}

  // Throws RequestError.
  nlohmann::json handle(const nlohmann::json& request);
  // Reads the configuration file again. Says what came of it; throws ApplyError, with all reasons.
  std::string reload();
  // Once a second: takes the numbers that rates are made of.
  void sample();

  nlohmann::json show(const std::string& what, size_t row_count_max);

 private:
  nlohmann::json explain(const nlohmann::json& request);

  struct Polls {
    uint64_t all = 0;
    uint64_t busy = 0;
  };

  Balancer& balancer_;
  std::string config_file_;
  std::vector<Polls> polls_;
  std::vector<double> busy_percent_;
};

}  // namespace sluice::control
