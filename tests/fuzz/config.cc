// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a configuration file: it is good, or every mistake has words of its own.
#include <cstdlib>
#include <string_view>

#include "control/config/config_load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::control;  // NOLINT
  const LoadedConfig loaded =
      parse_config(std::string_view(reinterpret_cast<const char*>(data), size));
  for (const Problem& problem : loaded.problems) {
    if (problem.got.empty() || problem.expected.empty()) std::abort();
  }
  if (loaded.ok() && loaded.config.services.empty()) std::abort();
  describe(loaded.problems, "file");
  return 0;
}
