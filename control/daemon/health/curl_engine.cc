// SPDX-License-Identifier: BSD-3-Clause
// curl_multi_socket_action(), fed by the loop.
#include "control/daemon/health/curl_engine.h"

#include <sys/epoll.h>

#include <new>

namespace sluice::control {

CurlEngine::CurlEngine(EventLoop& loop) : loop_(loop) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlEngine::~CurlEngine() {
  while (!running_.empty()) remove(running_.begin()->first);
  curl_multi_cleanup(multi_);
  for (const curl_socket_t fd : watched_) loop_.forget(fd);
}

void CurlEngine::add(CURL* easy, std::function<void(CURLcode)> done) {
  running_[easy] = std::move(done);
  curl_multi_add_handle(multi_, easy);  // asks for the timer, so nothing happens before the loop
}

void CurlEngine::remove(CURL* easy) {
  if (running_.erase(easy) > 0) curl_multi_remove_handle(multi_, easy);
}

int CurlEngine::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& engine = *static_cast<CurlEngine*>(self);
  if (what == CURL_POLL_REMOVE) {
    if (engine.watched_.erase(fd) > 0) engine.loop_.forget(fd);
    return 0;
  }
  const uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);
  if (!engine.watched_.insert(fd).second) {
    engine.loop_.change(fd, events);
    return 0;
  }
  engine.loop_.watch(
      fd, events,
      [&engine, fd](uint32_t seen) {
        const int in = (seen & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0;
        const int out = (seen & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
        const int error = (seen & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0;
        engine.act(fd, in | out | error);
      },
      "health checks by HTTP");
  return 0;
}

int CurlEngine::on_timer(CURLM*, long wait_ms, void* self) {
  auto& engine = *static_cast<CurlEngine*>(self);
  if (wait_ms < 0) {
    engine.timer_.cancel();
  } else {
    engine.timer_ = engine.loop_.after(
        std::chrono::milliseconds(wait_ms), [&engine] { engine.act(CURL_SOCKET_TIMEOUT, 0); },
        "health checks by HTTP");
  }
  return 0;
}

void CurlEngine::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  finish_done();
}

void CurlEngine::finish_done() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto found = running_.find(easy);
    if (found == running_.end()) continue;
    const auto done = std::move(found->second);
    running_.erase(found);
    curl_multi_remove_handle(multi_, easy);
    done(code);
  }
}

}  // namespace sluice::control
