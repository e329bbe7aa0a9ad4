// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as the answer of a sluice to sluicectl: shown in every way that sluicectl has, or
// refused with a line of its own.
#include <string>

#include "control/cli/api_client.h"
#include "tests/fuzz/show_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::control;  // NOLINT
  const std::string line(reinterpret_cast<const char*>(data), size);
  try {
    sluice::test::show_in_every_way(result_of(line, "socket"));
  } catch (const ApiError&) {
    // The one line.
  }
  return 0;
}
