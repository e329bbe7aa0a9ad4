// SPDX-License-Identifier: BSD-3-Clause
// Puts a file in memory in the place of both standard streams, and them back.
#include "control/daemon/loop/captured_output.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>

namespace sluice::control {
namespace {

constexpr size_t kKeptMax = 16384;

UniqueFd copy_of(int fd) {
  return UniqueFd(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

}  // namespace

CapturedOutput::CapturedOutput()
    : file_(memfd_create("output", MFD_CLOEXEC)),
      saved_output_(copy_of(STDOUT_FILENO)),
      saved_error_(copy_of(STDERR_FILENO)) {
  fflush(nullptr);
  if (!file_) return;  // then it shows; nothing is lost
  dup2(file_.get(), STDOUT_FILENO);
  dup2(file_.get(), STDERR_FILENO);
}

CapturedOutput::~CapturedOutput() {
  fflush(nullptr);
  if (saved_output_) dup2(saved_output_.get(), STDOUT_FILENO);
  if (saved_error_) dup2(saved_error_.get(), STDERR_FILENO);
}

std::string CapturedOutput::text() const {
  fflush(nullptr);
  std::string kept(kKeptMax, '\0');
  const ssize_t size = pread(file_.get(), kept.data(), kept.size(), 0);
  kept.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return kept;
}

std::string line_after(const std::string& text, const std::string& start) {
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (text.compare(begin, start.size(), start) == 0) {
      return text.substr(begin + start.size(), end - begin - start.size());
    }
    begin = end + 1;
  }
  return "";
}

}  // namespace sluice::control
