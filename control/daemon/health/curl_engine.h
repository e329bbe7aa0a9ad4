// SPDX-License-Identifier: BSD-3-Clause
// libcurl's multi interface on the control thread's event loop: any number of transfers at a time,
// none of which blocks.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <map>
#include <set>

#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

class CurlEngine {
 public:
  explicit CurlEngine(EventLoop& loop);
  ~CurlEngine();
  CurlEngine(const CurlEngine&) = delete;
  CurlEngine& operator=(const CurlEngine&) = delete;

  // Begins a transfer; `done` is called when it has ended and left the engine.
  void add(CURL* easy, std::function<void(CURLcode)> done);
  // Gives a transfer up. `done` is not called.
  void remove(CURL* easy);

 private:
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long wait_ms, void* self);
  void act(curl_socket_t fd, int events);
  void finish_done();

  EventLoop& loop_;
  EventLoop::Timer timer_;
  CURLM* multi_;
  std::map<CURL*, std::function<void(CURLcode)>> running_;
  std::set<curl_socket_t> watched_;
};

}  // namespace sluice::control
