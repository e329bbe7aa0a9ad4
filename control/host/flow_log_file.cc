// SPDX-License-Identifier: BSD-3-Clause
// Opens the flow log's file.
#include "control/host/flow_log_file.h"

#include <filesystem>
#include <system_error>

namespace sluice::control {

LineFile open_flow_log(const std::string& path) {
  try {
    return LineFile(path);
  } catch (const std::system_error& error) {
    throw std::system_error(error.code(), "flow_log.file: " + path);
  }
}

void check_flow_log(const FlowLogConfig& config) {
  std::error_code none;
  if (config.file.empty() || std::filesystem::is_fifo(config.file, none)) return;
  open_flow_log(config.file);
}

}  // namespace sluice::control
