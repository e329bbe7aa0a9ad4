// SPDX-License-Identifier: BSD-3-Clause
// A check by an HTTP or HTTPS request whose answer is judged; libcurl underneath.
//
// Every check makes a connection of its own, from the interface's address by its tap, and resets it
// when it is through: no TIME_WAIT gathers here, and what is tested is that the backend accepts.
#pragma once

#include <memory>
#include <string>

#include "control/daemon/health/curl_engine.h"
#include "control/daemon/health/probe.h"
#include "control/daemon/health/tcp_probe.h"

namespace re2 {
class RE2;
}

namespace sluice::control {

class CurlProbe : public Probe {
 public:
  static constexpr size_t kBodyMax = 64 << 10;  // what is looked at of an answer

  CurlProbe(EventLoop& loop, CurlEngine& engine, const ProbeTarget& target);
  ~CurlProbe() override;
  CurlProbe(const CurlProbe&) = delete;
  CurlProbe& operator=(const CurlProbe&) = delete;
  void start(Done done) override;
  std::string give_up() override;

 private:
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int keep_connected(void* self, curl_socket_t fd, curlsocktype purpose);
  static size_t take_body(char* data, size_t size, size_t count, void* self);
  void set_up_connection();
  void set_up_request();
  void set_up_tls();
  ProbeResult judge(CURLcode code) const;
  ProbeResult judge_answer() const;
  std::string failure(CURLcode code) const;

  CurlEngine& engine_;
  ProbeTarget target_;
  ProbeConnection connection_;  // where the backend is to be told something first
  UniqueFd connected_;          // that it made, for libcurl to take
  CURL* easy_;                  // used again for each check
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  std::unique_ptr<re2::RE2> body_pattern_;
  std::string body_;
  bool body_cut_ = false;
  std::string socket_error_;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace sluice::control
