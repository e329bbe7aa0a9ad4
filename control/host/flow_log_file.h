// SPDX-License-Identifier: BSD-3-Clause
// The file that the flow log is written to.
#pragma once

#include "control/common/line_file.h"
#include "control/config/config.h"

namespace sluice::control {

// Opens it to append; made where it is missing. Throws std::system_error, which names the key.
LineFile open_flow_log(const std::string& path);

// Whether the file, if there is to be one, can be opened. A pipe is left alone: its reader would
// see an end. Throws std::system_error.
void check_flow_log(const FlowLogConfig& config);

}  // namespace sluice::control
