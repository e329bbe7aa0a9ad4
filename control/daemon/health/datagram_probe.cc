// SPDX-License-Identifier: BSD-3-Clause
// One connected socket for each check, its timer, and what the kernel says of it.
#include "control/daemon/health/datagram_probe.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "control/config/socket_address.h"

namespace sluice::control {
namespace {

constexpr size_t kAnswerMax = 64 << 10;  // bytes; no datagram is longer

// What an error of a connected socket means: what ICMP said of the last datagram.
ProbeResult icmp_result(int error) {
  return ProbeResult::bad(error == ECONNREFUSED
                              ? "port unreachable (ICMP)"
                              : fmt::format("no answer: {}", std::strerror(error)));
}

}  // namespace

// Not open when that cannot be; errno says why.
bool DatagramProbe::open() {
  const SocketAddress source({target_.source, {}});
  const SocketAddress to(target_.checked());
  const std::string& device = target_.device;
  socket_ = UniqueFd(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return socket_ &&
         setsockopt(socket_.get(), SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
                    static_cast<socklen_t>(device.size())) == 0 &&
         bind(socket_.get(), source.get(), source.length) == 0 &&
         connect(socket_.get(), to.get(), to.length) == 0 &&
         send(socket_.get(), question_.data(), question_.size(), 0) >= 0;
}

void DatagramProbe::start(Done done) {
  question_ = target_.greeting + question();
  stray_count_ = 0;
  if (!open()) {
    // This host's reason not to send; what the backend says comes later.
    const std::string reason = std::strerror(errno);
    socket_ = UniqueFd();
    return done(ProbeResult::none(fmt::format("no datagram by {}: {}", target_.device, reason)));
  }
  done_ = std::move(done);
  loop_.watch(
      socket_.get(), EPOLLIN, [this](uint32_t) { on_event(); }, "health checks by UDP");
  again_ = loop_.after(
      check().timeout / 2, [this] { send_again(); }, "health checks by UDP");
}

// An error that waits at the socket comes out here as well, if nobody has read it yet.
void DatagramProbe::send_again() {
  const ssize_t sent = send(socket_.get(), question_.data(), question_.size(), 0);
  if (sent < 0 && errno == ECONNREFUSED) finish(icmp_result(errno));
}

void DatagramProbe::on_event() {
  std::array<char, kAnswerMax> bytes;
  const ssize_t length = recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (length < 0) {
    if (errno != EAGAIN && errno != EINTR) finish(icmp_result(errno));
    return;
  }
  const auto result = judge({bytes.data(), static_cast<size_t>(length)});
  if (result) return finish(*result);
  ++stray_count_;
}

void DatagramProbe::finish(const ProbeResult& result) {
  close();
  const Done done = std::move(done_);
  done(result);
}

std::string DatagramProbe::give_up() {
  close();
  const std::string silence = fmt::format("no answer within {} ms", check().timeout.count());
  if (stray_count_ == 0) return silence;
  return fmt::format("{}, but {} to something else", silence, stray_count_);
}

void DatagramProbe::close() {
  again_.cancel();
  if (socket_) loop_.forget(socket_.get());
  socket_ = UniqueFd();
}

}  // namespace sluice::control
