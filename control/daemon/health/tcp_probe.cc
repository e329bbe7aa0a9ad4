// SPDX-License-Identifier: BSD-3-Clause
// connect(2), and what becomes of it.
#include "control/daemon/health/tcp_probe.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "control/config/socket_address.h"

namespace sluice::control {

UniqueFd probe_socket(const ProbeTarget& target) {
  const SocketAddress source({target.source, {}});
  UniqueFd fd(socket(source.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const linger reset{1, 0};
  const int on = 1;
  const auto device_length = static_cast<socklen_t>(target.device.size());
  const bool ready =
      fd && setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 &&
      setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, target.device.c_str(), device_length) ==
          0 &&
      setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
      bind(fd.get(), source.get(), source.length) == 0;
  return ready ? std::move(fd) : UniqueFd();
}

void ProbeConnection::start(Done done) {
  socket_ = probe_socket(target_);
  if (!socket_) {
    return done({}, ProbeResult::none(
                        fmt::format("no socket by {}: {}", target_.device, std::strerror(errno))));
  }
  const SocketAddress to(target_.checked());
  if (connect(socket_.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) {
    // Refused at once: that is this host's reason; what the backend says comes later.
    const std::string reason = std::strerror(errno);
    socket_ = UniqueFd();
    return done({}, ProbeResult::none(fmt::format("connect by {}: {}", target_.device, reason)));
  }
  done_ = std::move(done);
  loop_.watch(
      socket_.get(), EPOLLOUT, [this](uint32_t) { on_event(); }, "health checks by TCP");
}

void ProbeConnection::on_event() {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  const std::string& greeting = target_.greeting;
  // A socket that has just been connected has room for it.
  if (error == 0 && !greeting.empty() &&
      send(socket_.get(), greeting.data(), greeting.size(), MSG_NOSIGNAL) < 0) {
    error = errno;
  }
  loop_.forget(socket_.get());
  UniqueFd socket = std::move(socket_);
  const Done done = std::move(done_);
  if (error == 0) return done(std::move(socket), ProbeResult::good());
  socket = UniqueFd();
  done({}, ProbeResult::bad(fmt::format("connect: {}", std::strerror(error))));
}

void ProbeConnection::close() {
  if (socket_) loop_.forget(socket_.get());
  socket_ = UniqueFd();
}

void TcpProbe::start(Done done) {
  connection_.start([done = std::move(done)](UniqueFd socket, const ProbeResult& result) {
    socket = UniqueFd();
    done(result);
  });
}

std::string TcpProbe::give_up() {
  connection_.close();
  return "connect timed out";
}

}  // namespace sluice::control
