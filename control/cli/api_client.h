// SPDX-License-Identifier: BSD-3-Clause
// Asks a running sluice over its local API socket. Blocking, with a time limit.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "control/common/errors.h"

namespace sluice::control {

// The "result" of the answer. Throws ApiError when there is none, whatever the reason.
nlohmann::json ask(const std::string& socket_path, const nlohmann::json& request,
                   std::chrono::seconds timeout = std::chrono::seconds(10));

// The "result" in one line of the protocol, whoever has written it. Throws ApiError: where it is no
// answer, where it is a refusal, and where it is of a form that is newer than this program.
nlohmann::json result_of(const std::string& line, const std::string& socket_path);

}  // namespace sluice::control
