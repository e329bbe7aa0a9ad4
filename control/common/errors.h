// SPDX-License-Identifier: BSD-3-Clause
// What control throws. Each text is one line for a person: what is wrong, where, and the remedy.
#pragma once

#include <stdexcept>

namespace sluice::control {

// Sluice cannot start.
class StartError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A configuration that is good by itself and cannot be put into force now.
class ApplyError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A request on the API socket is refused: the answer is {"ok":false,"error":what}.
class RequestError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The API socket cannot be opened.
class ApiSocketError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A question to the API socket got no answer, or a refusal.
class ApiError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The text of a configuration file cannot be edited so that it means what was wanted.
class EditError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace sluice::control
