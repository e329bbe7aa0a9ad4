// SPDX-License-Identifier: BSD-3-Clause
// Whether the keys of a service are ones of its protocol.
#pragma once

#include "control/config/config.h"
#include "control/config/config_schema.h"

namespace sluice::control {

void check_protocol_keys(const Config& config, Reader& reader);

}  // namespace sluice::control
