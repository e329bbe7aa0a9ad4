// SPDX-License-Identifier: BSD-3-Clause
// Services that route QUIC by connection ID: whose ID is whose must be clear.
#pragma once

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

void check_quic(const Config& config, Reader& reader);

}  // namespace sluice::control
