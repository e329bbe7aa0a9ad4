// SPDX-License-Identifier: BSD-3-Clause
// One connection, one request, one answer.
#include "control/api_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "control/unique_fd.h"

namespace sluice::control {
namespace {

using nlohmann::json;

std::string connect_error(const std::string& path, int error) {
  if (error == ENOENT || error == ECONNREFUSED) {
    return fmt::format("nobody listens on {}: is sluice running, and with this control.socket?",
                       path);
  }
  if (error == EACCES || error == EPERM) {
    return fmt::format("no permission for {}: ask as the user that runs sluice", path);
  }
  return fmt::format("cannot connect to {}: {}", path, std::strerror(error));
}

UniqueFd connect_to(const std::string& path, std::chrono::seconds patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw ApiError(connect_error(path, ENAMETOOLONG));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{patience.count(), 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw ApiError(connect_error(path, errno));
  }
  return fd;
}

std::string read_line(int fd, const std::string& path) {
  std::string line;
  char chunk[65536];
  for (;;) {
    const ssize_t count = read(fd, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) throw ApiError(fmt::format("no answer from {}", path));
    if (count <= 0) throw ApiError(fmt::format("{} hung up before it answered", path));
    line.append(chunk, static_cast<size_t>(count));
    if (line.ends_with('\n')) return line;
  }
}

}  // namespace

json ask(const std::string& socket_path, const json& request, std::chrono::seconds patience) {
  const UniqueFd fd = connect_to(socket_path, patience);
  const std::string line = request.dump() + "\n";
  if (send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    throw ApiError(fmt::format("cannot send to {}: {}", socket_path, std::strerror(errno)));
  }
  json answer = json::parse(read_line(fd.get(), socket_path), nullptr, false);
  if (!answer.is_object() || !answer.contains("ok")) {
    throw ApiError(fmt::format("{} does not speak Sluice's protocol", socket_path));
  }
  if (answer["ok"] != true) throw ApiError(answer.value("error", "refused without a reason"));
  return answer["result"];
}

}  // namespace sluice::control
