// SPDX-License-Identifier: BSD-3-Clause
// The API server's clients: accepted, read, answered and dropped, never waited for.
#include "control/daemon/api/api_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "control/common/api_answer.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// Every answer says who makes it, and in which form: the two programs may be of different versions.
std::string to_line(json answer) {
  answer["api"] = kApiVersion;
  answer["version"] = SLUICE_VERSION;
  return dumped(answer, -1) + "\n";
}

std::string refusal(const std::string& why) {
  return to_line({{"ok", false}, {"error", why}});
}

}  // namespace

void ApiServer::Reply::give(const json& result) const {
  const auto server = server_.lock();
  if (server) (*server)->finish(fd_, serial_, to_line({{"ok", true}, {"result", result}}));
}

void ApiServer::Reply::refuse(const std::string& why) const {
  const auto server = server_.lock();
  if (server) (*server)->finish(fd_, serial_, refusal(why));
}

ApiServer::ApiServer(EventLoop& loop, ApiSocket& socket, LaterHandler handler, ApiLimits limits)
    : loop_(loop), socket_(socket), handler_(std::move(handler)), limits_(limits) {
  loop_.watch(
      socket_.fd(), EPOLLIN, [this](uint32_t) { accept_all(); }, "the API socket");
  loop_.every(
      limits_.silence_max / 4, [this] { drop_silent(); }, "the API");
}

ApiServer::ApiServer(EventLoop& loop, ApiSocket& socket, Handler handler, ApiLimits limits)
    : ApiServer(
          loop, socket,
          [handler = std::move(handler)](const json& request, const Reply& reply) {
            reply.give(handler(request));
          },
          limits) {}

ApiServer::~ApiServer() {
  loop_.forget(socket_.fd());
  while (!clients_.empty()) drop(clients_.begin()->first);
}

void ApiServer::accept_all() {
  // No more than a table full an iteration: who connects in a loop must not keep the others
  // waiting.
  for (size_t i = 0; i < limits_.clients_max; ++i) {
    const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      if (make_room_for_descriptor(errno)) continue;
      return;
    }
    if (clients_.size() >= limits_.clients_max) drop_most_silent();
    Client& client = clients_[fd];
    client.fd = UniqueFd(fd);
    client.active = EventLoop::Clock::now();
    loop_.watch(
        fd, EPOLLIN, [this, fd](uint32_t events) { on_event(fd, events); }, "clients of the API");
  }
}

// Who waits to be accepted keeps the socket ready: where that cannot be, it must not keep us awake.
bool ApiServer::make_room_for_descriptor(int error) {
  if (error == EINTR || error == ECONNABORTED) return true;
  if (error == EAGAIN || error == EWOULDBLOCK) return false;
  const bool room = !clients_.empty();
  drop_most_silent();
  if (!room) {
    paused_ = true;
    loop_.change(socket_.fd(), 0);
  }
  return room;
}

void ApiServer::on_event(int fd, uint32_t events) {
  auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client& client = found->second;
  const bool readable = (events & EPOLLIN) != 0;
  const bool broken = !readable && (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (broken || (readable && !read_from(client))) return drop(fd);
  proceed(fd);
}

void ApiServer::proceed(int fd) {
  Client& client = clients_.at(fd);
  if (!make_progress(client)) return drop(fd);
  client.active = EventLoop::Clock::now();  // the time that its answer took is not its silence
  // Whoever does not read its answers, or waits for one, is not read from: that bounds both
  // buffers.
  const uint32_t wanted = client.waits_for != 0 ? 0u : client.out.empty() ? EPOLLIN : EPOLLOUT;
  loop_.change(fd, wanted);
}

bool ApiServer::read_from(Client& client) {
  char chunk[4096];
  const ssize_t count = read(client.fd.get(), chunk, sizeof chunk);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) client.closing = true;  // it may still read what it asked for
  client.in.append(chunk, static_cast<size_t>(count));
  return true;
}

bool ApiServer::make_progress(Client& client) {
  for (;;) {
    if (!client.out.empty() && !write_to(client)) return false;
    if (!client.out.empty()) return true;
    if (client.waits_for != 0) return true;
    if (!answer_next(client)) return client.waits_for != 0 || !client.closing;
  }
}

bool ApiServer::answer_next(Client& client) {
  const size_t end = client.in.find('\n');
  if (std::min(end, client.in.size()) > limits_.request_bytes_max) {
    client.in.clear();
    client.closing = true;
    client.out = refusal("the request is too long");
    return true;
  }
  if (end == std::string::npos) return false;
  const std::string line = client.in.substr(0, end);
  client.in.erase(0, end + 1);
  answer(client.fd.get(), client, line);
  return client.waits_for == 0;
}

void ApiServer::answer(int fd, Client& client, const std::string& line) {
  client.waits_for = ++last_serial_;
  client.handled = true;
  const Reply reply(self_, fd, client.waits_for);
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  try {
    if (request.is_object()) {
      handler_(request, reply);
    } else {
      reply.refuse("the request is no JSON object");
    }
  } catch (const json::exception&) {
    reply.refuse("the request lacks a value, or has one of a wrong type");
  } catch (const std::exception& error) {
    reply.refuse(error.what());
  }
  client.handled = false;
}

void ApiServer::finish(int fd, uint64_t serial, std::string line) {
  const auto found = clients_.find(fd);
  if (found == clients_.end() || found->second.waits_for != serial) return;
  found->second.waits_for = 0;
  found->second.out = std::move(line);
  if (!found->second.handled) proceed(fd);
}

bool ApiServer::write_to(Client& client) {
  const ssize_t count = send(client.fd.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  client.out.erase(0, static_cast<size_t>(count));
  return true;
}

void ApiServer::drop(int fd) {
  loop_.forget(fd);
  clients_.erase(fd);
}

void ApiServer::drop_most_silent() {
  // Who waits for us is not silent.
  auto oldest = std::ranges::min_element(clients_, {}, [](const auto& entry) {
    return std::pair(entry.second.waits_for != 0, entry.second.active);
  });
  if (oldest != clients_.end()) drop(oldest->first);
}

void ApiServer::drop_silent() {
  if (std::exchange(paused_, false)) loop_.change(socket_.fd(), EPOLLIN);
  const auto limit = EventLoop::Clock::now() - limits_.silence_max;
  for (auto it = clients_.begin(); it != clients_.end();) {
    const int fd = it->first;
    const bool silent = it->second.active < limit && it->second.waits_for == 0;
    ++it;
    if (silent) drop(fd);
  }
}

}  // namespace sluice::control
