// SPDX-License-Identifier: BSD-3-Clause
// Appends, and knows where the last line ended.
#include "control/common/line_file.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace sluice::control {
namespace {

constexpr size_t kBytesAtATime = 64 * 1024;

// Who wrote last was cut off. A file that cannot be read counts as whole.
bool ends_in_a_line(int file) {
  const std::string itself =
      "/proc/self/fd/" + std::to_string(file);  // whatever its name is by now
  const UniqueFd fd(open(itself.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0) {
    return false;
  }
  char last = '\n';
  return pread(fd.get(), &last, 1, status.st_size - 1) == 1 && last != '\n';
}

bool is_pipe(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

LineFile::LineFile(const std::string& path) : path_(path) {
  constexpr int kMode = 0640;
  fd_ = UniqueFd(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, kMode));
  if (!fd_) throw std::system_error(errno, std::generic_category(), path);
  is_pipe_ = is_pipe(fd_.get());
}

void LineFile::append(std::string& lines) {
  if (!fd_) return lines.clear();
  if (lines.empty()) return;
  if (!std::exchange(looked_, true) && !is_pipe_) torn_ = ends_in_a_line(fd_.get());
  if (std::exchange(torn_, false)) lines.insert(0, "\n");
  size_t written = 0;
  while (written < lines.size()) {
    const ssize_t count =
        write(fd_.get(), lines.data() + written, std::min(kBytesAtATime, lines.size() - written));
    if (count > 0) {
      written += static_cast<size_t>(count);
      in_line_ = lines[written - 1] != '\n';
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else if (count == 0 || errno == EAGAIN) {
      break;
    } else {
      fail(errno);
      return lines.clear();
    }
  }
  lines.erase(0, written);
  if (written > 0 && std::exchange(failing_, false))
    spdlog::info("{}: lines are kept again", path_);
}

void LineFile::fail(int error) {
  torn_ = in_line_;
  if (!std::exchange(failing_, true)) {
    spdlog::warn("{}: lines are lost: {}", path_, std::strerror(error));
  }
}

}  // namespace sluice::control
