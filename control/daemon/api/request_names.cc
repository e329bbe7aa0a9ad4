// SPDX-License-Identifier: BSD-3-Clause
// Looks names up, and says what was probably meant.
#include "control/daemon/api/request_names.h"

#include <fmt/format.h>

#include <vector>

#include "control/common/errors.h"
#include "control/common/text.h"
#include "control/config/address_rules.h"
#include "control/config/address_text.h"
#include "control/config/config_schema.h"

namespace sluice::control {
namespace {

constexpr size_t kNearShown = 3;

}  // namespace

const ServiceConfig& service_named(const Config& config, const std::string& name) {
  std::vector<std::string> names;
  for (const ServiceConfig& service : config.services) {
    if (service.name == name) return service;
    names.push_back(service.name);
  }
  throw RequestError(fmt::format("there is no service {}; the nearest: {}", in_quotes(name),
                                 join(near_ones(name, names, kNearShown), ", ")));
}

const BackendConfig& backend_at(const ServiceConfig& service, const std::string& address) {
  const auto wanted = parse_endpoint(address);
  std::vector<std::string> addresses;
  for (const BackendConfig& backend : service.backends) {
    if (backend.address == wanted) return backend;
    addresses.push_back(to_string(backend.address));
  }
  throw RequestError(fmt::format("service {} has no backend {}; the nearest: {}", service.name,
                                 in_quotes(address),
                                 join(near_ones(address, addresses, kNearShown), ", ")));
}

}  // namespace sluice::control
