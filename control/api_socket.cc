// SPDX-License-Identifier: BSD-3-Clause
// Claims the API socket: directory, lock, stale socket, bind with mode 0600.
#include "control/api_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sluice::control {
namespace {

constexpr int kBacklog = 16;

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  std::string remedy = "set control.socket to a path that can be written";
  if (error == EACCES || error == EPERM) remedy = "run as root, or " + remedy;
  throw ApiSocketError(fmt::format("control.socket {}: cannot {}: {}; {}", path, what,
                                   std::strerror(error), remedy));
}

}  // namespace

ApiSocket::ApiSocket(std::string path) : path_(std::move(path)) {
  const auto directory = std::filesystem::path(path_).parent_path();
  std::error_code error;
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  if (error) fail(path_, "make its directory", error.value());
  lock();
  bind();
}

ApiSocket::~ApiSocket() {
  if (socket_) unlink(path_.c_str());
}

void ApiSocket::lock() {
  const std::string file = path_ + ".lock";
  lock_ = UniqueFd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) fail(path_, "open its lock file", errno);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) fail(path_, "lock it", errno);
  throw ApiSocketError(fmt::format(
      "sluice is already running on {}: stop that one, or give this one another control.socket",
      path_));
}

void ApiSocket::bind() {
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) fail(path_, "bind it", EEXIST);
    unlink(path_.c_str());
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) fail(path_, "bind it", ENAMETOOLONG);
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) fail(path_, "make it", errno);
  const mode_t mask = umask(0177);
  const int result = ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  const int error = errno;
  umask(mask);
  if (result != 0) fail(path_, "bind it", error);
  socket_ = std::move(fd);
}

void ApiSocket::listen() {
  if (::listen(socket_.get(), kBacklog) != 0) fail(path_, "listen on it", errno);
}

}  // namespace sluice::control
