// SPDX-License-Identifier: BSD-3-Clause
// A temporary file in the same directory, synced, then renamed.
#include "control/common/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "control/common/unique_fd.h"

namespace sluice::control {
namespace {

constexpr auto kSameUser = static_cast<uid_t>(-1);

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void write_all(int fd, const std::string& text, const std::string& path) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count < 0) fail("cannot write " + path);
    done += static_cast<size_t>(count);
  }
}

void fill(int fd, const struct stat& old, const std::string& text, const std::string& path) {
  write_all(fd, text, path);
  if (fchown(fd, old.st_uid, old.st_gid) != 0 && fchown(fd, kSameUser, old.st_gid) != 0) {
    fail("cannot keep the group of " + path);
  }
  if (fchmod(fd, old.st_mode & 07777) != 0) fail("cannot keep the mode of " + path);
  if (fsync(fd) != 0) fail("cannot sync " + path);
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void swap_file(const std::string& path, const std::string& text) {
  const std::string target = std::filesystem::canonical(path);
  struct stat old {};
  if (stat(target.c_str(), &old) != 0) fail("cannot read " + target);
  if (!S_ISREG(old.st_mode)) {
    errno = EINVAL;
    fail(target + " is not a regular file");
  }
  std::string temporary = target + ".XXXXXX";
  const UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) fail("cannot write beside " + target);
  try {
    fill(fd.get(), old, text, temporary);
    if (rename(temporary.c_str(), target.c_str()) != 0) fail("cannot replace " + target);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  // The rename itself survives a crash once the directory is on the disk.
  const std::string directory = std::filesystem::path(target).parent_path();
  const UniqueFd parent(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent) static_cast<void>(fsync(parent.get()));
}

}  // namespace sluice::control
