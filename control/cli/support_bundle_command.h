// SPDX-License-Identifier: BSD-3-Clause
// sluicectl support-bundle: what somebody elsewhere needs to see of this sluice, in one file.
//
// What cannot be had does not stop the rest: its place says why.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/cli/command.h"

namespace sluice::control {

struct BundleFile {
  std::string name;
  std::string text;
};

// `ask` sends a request and gives its result, or throws ApiError. `config_file` may be empty: then
// the running sluice says which, or the default place is tried.
std::vector<BundleFile> make_bundle(
    const std::function<nlohmann::json(const nlohmann::json& request)>& ask,
    const std::string& socket_path, const std::string& config_file);

Command support_bundle_command();

}  // namespace sluice::control
