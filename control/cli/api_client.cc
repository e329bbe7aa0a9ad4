// SPDX-License-Identifier: BSD-3-Clause
// One connection, one request, one answer.
#include "control/cli/api_client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "control/common/api_answer.h"
#include "control/common/unique_fd.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr size_t kAnswerBytesMax = size_t{512} << 20;  // a status of 65,536 backends has 100 MB
constexpr int kNestingMax = 64;

std::string connect_error(const std::string& path, int error) {
  if (error == ENOENT || error == ECONNREFUSED) {
    return fmt::format("nobody listens on {}: is sluice running, and with this control.socket?",
                       path);
  }
  if (error == EACCES || error == EPERM) {
    return fmt::format(
        "no permission for {}: ask as root or as the user that runs sluice; who may only look, "
        "at control.read_socket (--socket)",
        path);
  }
  return fmt::format("cannot connect to {}: {}", path, std::strerror(error));
}

UniqueFd connect_to(const std::string& path, std::chrono::seconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw ApiError(connect_error(path, ENAMETOOLONG));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{timeout.count(), 0};
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
    if (line.size() > kAnswerBytesMax) {
      throw ApiError(fmt::format("the answer from {} does not end", path));
    }
  }
}

// Discarded where it is no JSON, or nests so deep that no answer of ours does.
json parse_answer(const std::string& line) {
  bool too_deep = false;
  const auto note_depth = [&too_deep](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kNestingMax;
    return !too_deep;
  };
  json answer = json::parse(line, note_depth, /*allow_exceptions=*/false);
  return too_deep ? json(json::value_t::discarded) : answer;
}

// Who answers, where it is another than this program expects.
std::string by_whom(const json& answer) {
  const std::string version = text_field(answer, "version", "of another version");
  return version == SLUICE_VERSION ? ""
                                   : fmt::format(" (sluice {} is running, this is sluicectl {})",
                                                 version, SLUICE_VERSION);
}

}  // namespace

json result_of(const std::string& line, const std::string& socket_path) {
  const json answer = parse_answer(line);
  if (!answer.is_object() || !answer.contains("ok")) {
    throw ApiError(fmt::format("{} does not speak Sluice's protocol", socket_path));
  }
  if (!flag_field(answer, "ok")) {
    const std::string error = text_field(answer, "error", "refused without a reason");
    throw ApiError(error.starts_with("unknown command") ? error + by_whom(answer) : error);
  }
  if (number_field(answer, "api") > kApiVersion) {
    throw ApiError(
        fmt::format("the answer has a form that is newer than this program{}: use the sluicectl "
                    "that came with it",
                    by_whom(answer)));
  }
  return field(answer, "result");
}

json ask(const std::string& socket_path, const json& request, std::chrono::seconds timeout) {
  const UniqueFd fd = connect_to(socket_path, timeout);
  const std::string line = dumped(request, -1) + "\n";
  if (send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    throw ApiError(fmt::format("cannot send to {}: {}", socket_path, std::strerror(errno)));
  }
  return result_of(read_line(fd.get(), socket_path), socket_path);
}

}  // namespace sluice::control
