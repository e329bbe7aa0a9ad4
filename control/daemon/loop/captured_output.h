// SPDX-License-Identifier: BSD-3-Clause
// Catches what a library writes to standard output and error behind everyone's back.
//
// EAL prints pages of usage when an argument is wrong. While this stands, such text is kept; the
// lines that say something go into the one line that is logged.
#pragma once

#include <string>

#include "control/common/unique_fd.h"

namespace sluice::control {

class CapturedOutput {
 public:
  CapturedOutput();
  ~CapturedOutput();
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  std::string text() const;

 private:
  UniqueFd file_;  // in memory
  UniqueFd saved_output_;
  UniqueFd saved_error_;
};

// The first line of `text` that begins with `start`, without it; empty when there is none.
std::string line_after(const std::string& text, const std::string& start);

}  // namespace sluice::control
