// SPDX-License-Identifier: BSD-3-Clause
// What requests of the local API name, found in the configuration.
#pragma once

#include <string>

#include "control/config/config.h"
#include "control/config/ip_address.h"

namespace sluice::control {

// Both throw RequestError, with the names that come nearest. A backend goes by its address, however
// that is written.
const ServiceConfig& service_named(const Config& config, const std::string& name);
const BackendConfig& backend_at(const ServiceConfig& service, const std::string& address);

}  // namespace sluice::control
