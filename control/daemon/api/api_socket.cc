// SPDX-License-Identifier: BSD-3-Clause
// Claims the API socket: directory, lock, stale socket, bind with mode 0600, then who else may ask.
#include "control/daemon/api/api_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sluice::control {
namespace {

constexpr int kBacklog = 16;

}  // namespace

ApiSocket::ApiSocket(std::string path, SocketAccess access)
    : path_(std::move(path)), access_(std::move(access)) {
  const auto directory = std::filesystem::path(path_).parent_path();
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) fail("make its directory", error.value());
  lock();
  bind();
}

void ApiSocket::fail(const char* what, int error) const {
  std::string remedy = fmt::format("set {} to a path that can be written", access_.key);
  if (error == EACCES || error == EPERM) remedy = "run as root, or " + remedy;
  throw ApiSocketError(fmt::format("{} {}: cannot {}: {}; {}", access_.key, path_, what,
                                   std::strerror(error), remedy));
}

ApiSocket::~ApiSocket() {
  if (socket_) unlink(path_.c_str());
}

void ApiSocket::lock() {
  const std::string file = path_ + ".lock";
  lock_ = UniqueFd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) fail("open its lock file", errno);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail("lock it", errno);
  throw ApiSocketError(
      fmt::format("sluice is already running on {}: stop that one, or give this one another {}",
                  path_, access_.key));
}

void ApiSocket::bind() {
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) fail("bind it", EEXIST);
    unlink(path_.c_str());
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) fail("bind it", ENAMETOOLONG);
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) fail("make it", errno);
  const mode_t mask = umask(0177);
  const int result = ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int error = errno;
  umask(mask);
  if (result != 0) fail("bind it", error);
  socket_ = std::move(fd);
  if (access_.mode == 0600) return;
  try {
    give_to_group();
  } catch (...) {
    unlink(path_.c_str());
    throw;
  }
}

// The group first: nobody else may connect in between.
void ApiSocket::give_to_group() {
  if (!access_.group.empty()) {
    const group* found = getgrnam(access_.group.c_str());
    if (found == nullptr) {
      throw ApiSocketError(
          fmt::format("control.socket_group: there is no group \"{0}\": groupadd "
                      "--system {0}, or name another",
                      access_.group));
    }
    if (chown(path_.c_str(), static_cast<uid_t>(-1), found->gr_gid) != 0) {
      throw ApiSocketError(fmt::format(
          "control.socket_group: cannot give {} to the group {}: {}; its user must belong to it: "
          "usermod --append --groups {} sluice",
          path_, access_.group, std::strerror(errno), access_.group));
    }
  }
  if (chmod(path_.c_str(), access_.mode) != 0) fail("set its mode", errno);
}

void ApiSocket::listen() {
  if (::listen(socket_.get(), kBacklog) != 0) fail("listen on it", errno);
}

}  // namespace sluice::control
