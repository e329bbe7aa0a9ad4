// SPDX-License-Identifier: BSD-3-Clause
// A file, or a pipe, to which whole lines are appended without waiting for it.
//
// A write may end in the middle of a line: where the disk is full, where the process is killed.
// Such a half line is ended before the next one is written, also by who opens the file later; so
// that it is the only one that is lost.
#pragma once

#include <string>

#include "control/common/unique_fd.h"

namespace sluice::control {

class LineFile {
 public:
  LineFile() = default;  // takes everything and keeps nothing
  // Opens to append; made where it is missing. Throws std::system_error.
  explicit LineFile(const std::string& path);

  // Takes from the front of `lines` what the file takes now, and leaves the rest, which is to be
  // what the next call begins with. An error takes all of them: they are lost, and the log says so,
  // once until it is over.
  void append(std::string& lines);
  // Takes the place of one whose rest is lost: a pipe cannot be asked where its last line ended.
  void succeed(const LineFile& before) { torn_ = is_pipe_ && (before.in_line_ || before.torn_); }

 private:
  void fail(int error);

  UniqueFd fd_;
  std::string path_;
  bool in_line_ = false;  // what is in the file ends in the middle of one
  bool torn_ = false;     // and its rest is lost
  bool is_pipe_ = false;
  bool looked_ = false;  // where others have ended
  bool failing_ = false;
};

}  // namespace sluice::control
