// SPDX-License-Identifier: BSD-3-Clause
// The course of one connection: connect, send, receive and check, close.
#include "tests/tools/connection.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

namespace sluice::tools {
namespace {

constexpr size_t kReadBytes = 65536;
constexpr size_t kHeaderBytesMax = 8192;
// A multiple of 26, so that every chunk of an upload begins with the same letter.
constexpr size_t kUploadChunkBytes = 26 * 4096;

const std::string& upload_chunk() {
  static const std::string chunk = [] {
    std::string bytes(kUploadChunkBytes, '\0');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = body_byte(i);
    return bytes;
  }();
  return chunk;
}

std::string header_of(const Request& request, uint64_t number) {
  std::string path = request.path;
  if (const size_t at = path.find('%'); at != std::string::npos) {
    path.replace(at, 1, std::to_string(number));
  }
  switch (request.close) {
    case Close::server:
    case Close::half:
      return fmt::format("GET {} HTTP/1.0\r\n\r\n", path);
    case Close::client:
    case Close::reset:
      return fmt::format("GET {} HTTP/1.1\r\nHost: churn\r\n\r\n", path);
    case Close::upload:
      return fmt::format("PUT {} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", path,
                         request.upload_bytes);
  }
  return {};
}

std::optional<std::string_view> header_field(std::string_view header, std::string_view field) {
  const std::string start = fmt::format("\r\n{}: ", field);
  const size_t at = header.find(start);
  if (at == std::string_view::npos) return std::nullopt;
  header.remove_prefix(at + start.size());
  return header.substr(0, header.find("\r\n"));
}

}  // namespace

const char* name(Outcome outcome) {
  constexpr std::array<const char*, kOutcomeCount> kNames = {"succeeded", "reset",        "refused",
                                                             "timeout",   "bad_response", "local"};
  return kNames[static_cast<size_t>(outcome)];
}

bool Connection::open(const Request& request, const sockaddr_in& from, int epoll_fd, uint64_t tag,
                      uint64_t number, int64_t now_ns) {
  *this = Connection{};
  request_ = &request;
  head_ = header_of(request, number);
  result_.opened_ns = now_ns;
  result_.from = from;

  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return end(Outcome::local, now_ns);
  // The port is chosen at connect(), by the whole tuple: each client address has every port anew.
  const int on = 1;
  setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (request.close == Close::reset) {
    const linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
    return end(Outcome::local, now_ns);
  }
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&request.to), sizeof request.to) != 0 &&
      errno != EINPROGRESS) {
    return end(Outcome::local, now_ns);
  }
  epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = tag}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd_, &event) != 0) return end(Outcome::local, now_ns);
  return true;
}

bool Connection::advance(int64_t now_ns) {
  if (!connected_ && !finish_connect(now_ns)) return is_open();
  return send_request(now_ns) && receive(now_ns);
}

void Connection::give_up(int64_t now_ns) {
  end(Outcome::timeout, now_ns);
}

bool Connection::finish_connect(int64_t now_ns) {
  int error = 0;
  socklen_t bytes = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (error != 0) return end_by_errno(error, now_ns);
  bytes = sizeof result_.from;
  // getpeername() is what tells "connected" from "still connecting": SO_ERROR is 0 for both.
  sockaddr_in peer = {};
  socklen_t peer_bytes = sizeof peer;
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_bytes) != 0) return false;
  getsockname(fd_, reinterpret_cast<sockaddr*>(&result_.from), &bytes);
  connected_ = true;
  result_.connect_ns = now_ns - result_.opened_ns;
  return true;
}

bool Connection::send_request(int64_t now_ns) {
  while (sent_bytes_ < head_.size()) {
    const ssize_t sent =
        send(fd_, head_.data() + sent_bytes_, head_.size() - sent_bytes_, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return true;
    if (sent < 0) return end_by_errno(errno, now_ns);
    sent_bytes_ += static_cast<uint64_t>(sent);
    if (sent_bytes_ == head_.size() && request_->close == Close::half) shutdown(fd_, SHUT_WR);
  }
  return request_->close != Close::upload || send_upload(now_ns);
}

bool Connection::send_upload(int64_t now_ns) {
  const std::string& chunk = upload_chunk();
  for (;;) {
    const uint64_t done = sent_bytes_ - head_.size();
    if (done == request_->upload_bytes) return true;
    const uint64_t offset = done % chunk.size();
    const uint64_t bytes = std::min(request_->upload_bytes - done, chunk.size() - offset);
    const ssize_t sent = send(fd_, chunk.data() + offset, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return true;
    if (sent < 0) return end_by_errno(errno, now_ns);
    sent_bytes_ += static_cast<uint64_t>(sent);
  }
}

bool Connection::receive(int64_t now_ns) {
  static thread_local std::array<char, kReadBytes> buffer;
  for (;;) {
    const ssize_t bytes = recv(fd_, buffer.data(), buffer.size(), 0);
    if (bytes < 0 && errno == EAGAIN) return true;
    if (bytes < 0) return end_by_errno(errno, now_ns);
    if (bytes == 0) {
      return end(body_is_whole() ? Outcome::succeeded : Outcome::bad_response, now_ns);
    }
    if (!take({buffer.data(), static_cast<size_t>(bytes)})) {
      return end(Outcome::bad_response, now_ns);
    }
    if (body_is_whole() && !ends_at_eof()) return end(Outcome::succeeded, now_ns);
  }
}

bool Connection::take(std::string_view bytes) {
  if (header_done_) return take_body(bytes);
  received_.append(bytes);
  const size_t header_end = received_.find("\r\n\r\n");
  if (header_end == std::string::npos) return received_.size() < kHeaderBytesMax;
  const std::string body = received_.substr(header_end + 4);
  received_.resize(header_end + 2);
  return take_header() && take_body(body);
}

bool Connection::take_header() {
  header_done_ = true;
  // "HTTP/1.x 2": any success will do, a PUT answers 201 or 204.
  if (!received_.starts_with("HTTP/1.") || received_.size() < 10 || received_[9] != '2') {
    return false;
  }
  if (const auto backend = header_field(received_, "X-Backend")) result_.backend = *backend;
  if (const auto length = header_field(received_, "Content-Length")) {
    std::from_chars(length->data(), length->data() + length->size(), content_bytes_);
  }
  return true;
}

bool Connection::take_body(std::string_view bytes) {
  for (const char byte : bytes) {
    if (byte != body_byte(body_bytes_)) return false;
    ++body_bytes_;
  }
  return body_bytes_ <= content_bytes_;
}

bool Connection::end(Outcome outcome, int64_t now_ns) {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  result_.outcome = outcome;
  result_.request_ns = now_ns - result_.opened_ns;
  return false;
}

bool Connection::end_by_errno(int error, int64_t now_ns) {
  switch (error) {
    case ECONNRESET:
    case EPIPE:
      return end(Outcome::reset, now_ns);
    case ECONNREFUSED:
      return end(Outcome::refused, now_ns);
    case ETIMEDOUT:
    case EHOSTUNREACH:
      return end(Outcome::timeout, now_ns);
    default:
      return end(Outcome::local, now_ns);
  }
}

}  // namespace sluice::tools
