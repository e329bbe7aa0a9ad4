// SPDX-License-Identifier: BSD-3-Clause
// Reads the files of prefixes that a configuration names: a prefix or an address a line, `#` begins
// a comment. A mistake is told by the file and the line that it is in.
#pragma once

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

void read_prefix_files(Config& config, Reader& reader);

}  // namespace sluice::control
