// SPDX-License-Identifier: BSD-3-Clause
// The API server's clients: accepted, read, answered and dropped, never waited for.
#include "control/api_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sluice::control {
namespace {

using nlohmann::json;

std::string to_line(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string refusal(const std::string& why) {
  return to_line({{"ok", false}, {"error", why}});
}

}  // namespace

ApiServer::ApiServer(EventLoop& loop, ApiSocket& socket, Handler handler, ApiLimits limits)
    : loop_(loop), socket_(socket), handler_(std::move(handler)), limits_(limits) {
  loop_.watch(socket_.fd(), EPOLLIN, [this](uint32_t) { accept_all(); });
  loop_.every(std::max(limits_.silence_max / 4, std::chrono::milliseconds(1)),
              [this] { drop_silent(); });
}

ApiServer::~ApiServer() {
  loop_.forget(socket_.fd());
  while (!clients_.empty()) drop(clients_.begin()->first);
}

void ApiServer::accept_all() {
  // No more than a table full a turn: who connects in a loop must not keep the others waiting.
  for (size_t i = 0; i < limits_.clients_max; ++i) {
    const int fd = accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (clients_.size() >= limits_.clients_max) drop_most_silent();
    Client& client = clients_[fd];
    client.fd = UniqueFd(fd);
    client.active = EventLoop::Clock::now();
    loop_.watch(fd, EPOLLIN, [this, fd](uint32_t events) { on_event(fd, events); });
  }
}

void ApiServer::on_event(int fd, uint32_t events) {
  auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client& client = found->second;
  const bool readable = (events & EPOLLIN) != 0;
  const bool broken = !readable && (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (broken || (readable && !read_from(client)) || !make_progress(client)) return drop(fd);
  client.active = EventLoop::Clock::now();  // the time that its answer took is not its silence
  // Whoever does not read its answers is not read from: that bounds both buffers.
  loop_.change(fd, client.out.empty() ? EPOLLIN : EPOLLOUT);
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
    if (!answer_next(client)) return !client.closing;
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
  client.out = answer(client.in.substr(0, end));
  client.in.erase(0, end + 1);
  return true;
}

std::string ApiServer::answer(const std::string& line) {
  const json request = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!request.is_object()) return refusal("the request is no JSON object");
  try {
    return to_line({{"ok", true}, {"result", handler_(request)}});
  } catch (const json::exception&) {
    return refusal("the request lacks a value, or has one of a wrong type");
  } catch (const std::exception& error) {
    return refusal(error.what());
  }
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
  auto oldest =
      std::ranges::min_element(clients_, {}, [](const auto& entry) { return entry.second.active; });
  if (oldest != clients_.end()) drop(oldest->first);
}

void ApiServer::drop_silent() {
  const auto limit = EventLoop::Clock::now() - limits_.silence_max;
  for (auto it = clients_.begin(); it != clients_.end();) {
    const int fd = it->first;
    const bool silent = it->second.active < limit;
    ++it;
    if (silent) drop(fd);
  }
}

}  // namespace sluice::control
