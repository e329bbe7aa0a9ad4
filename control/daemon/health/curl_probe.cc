// SPDX-License-Identifier: BSD-3-Clause
// The options of a request, and what its end means.
#include "control/daemon/health/curl_probe.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace sluice::control {
namespace {

// By which name the request and the TLS handshake go, as it stands in a URL; the connection goes to
// the backend anyway.
std::string host_of(const ProbeTarget& target) {
  if (!target.check.tls_name.empty()) return target.check.tls_name;
  if (!target.check.host.empty()) return target.check.host.substr(0, target.check.host.find(':'));
  const IpAddress ip = target.checked().ip;
  return ip.is_v4() ? to_string(ip) : fmt::format("[{}]", to_string(ip));
}

}  // namespace

CurlProbe::CurlProbe(EventLoop& loop, CurlEngine& engine, const ProbeTarget& target)
    : engine_(engine), target_(target), connection_(loop, target_), easy_(curl_easy_init()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  set_up_connection();
  set_up_request();
  if (target_.check.type == CheckType::kHttps) set_up_tls();
}

CurlProbe::~CurlProbe() {
  engine_.remove(easy_);
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
  curl_slist_free_all(connect_to_);
}

void CurlProbe::set_up_connection() {
  const std::string to = "::" + to_string(target_.checked());
  connect_to_ = curl_slist_append(connect_to_, to.c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECT_TO, connect_to_);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  if (target_.greeting.empty()) return;
  curl_easy_setopt(easy_, CURLOPT_SOCKOPTFUNCTION, keep_connected);
}

void CurlProbe::set_up_request() {
  const HealthCheckConfig& check = target_.check;
  const bool https = check.type == CheckType::kHttps;
  const std::string url = fmt::format("{}://{}:{}{}", https ? "https" : "http", host_of(target_),
                                      target_.checked().port.host(), check.path);
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, "sluice health check");
  if (check.method == HttpMethod::kHead) {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, std::string(to_string(check.method)).c_str());
  }
  headers_ = curl_slist_append(headers_, "Connection: close");
  if (!check.host.empty()) {
    headers_ = curl_slist_append(headers_, fmt::format("Host: {}", check.host).c_str());
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  if (!check.body_matches.empty()) {
    body_pattern_ = std::make_unique<re2::RE2>(check.body_matches, re2::RE2::Quiet);
  }
}

void CurlProbe::set_up_tls() {
  const HealthCheckConfig& check = target_.check;
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, check.tls_verify ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, check.tls_verify ? 2L : 0L);
  // One file and no directory: then libcurl reads it once, and not for each connection.
  const char* system = curl_version_info(CURLVERSION_NOW)->cainfo;
  const char* file = check.tls_ca.empty() ? system : check.tls_ca.c_str();
  curl_easy_setopt(easy_, CURLOPT_CAINFO, check.tls_verify ? file : nullptr);
  curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
}

void CurlProbe::start(Done done) {
  body_.clear();
  body_cut_ = false;
  socket_error_.clear();
  error_[0] = '\0';
  const auto ask = [this, done] {
    engine_.add(easy_, [this, done](CURLcode code) { done(judge(code)); });
  };
  if (target_.greeting.empty()) return ask();
  connection_.start(
      [this, ask, done = std::move(done)](UniqueFd socket, const ProbeResult& result) {
        if (!socket) return done(result);
        connected_ = std::move(socket);
        ask();
      });
}

std::string CurlProbe::give_up() {
  if (connection_.is_connecting()) {
    connection_.close();
    return "connect timed out";
  }
  long status = 0;
  curl_off_t connected_us = 0;  // for https only once TLS stands
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &connected_us);
  engine_.remove(easy_);
  if (connected_us == 0) {
    return target_.check.type == CheckType::kHttps ? "no TLS connection in time"
                                                   : "connect timed out";
  }
  return status == 0 ? "no answer in time" : fmt::format("status {}, and no end in time", status);
}

curl_socket_t CurlProbe::open_socket(void* self, curlsocktype, curl_sockaddr*) {
  auto& probe = *static_cast<CurlProbe*>(self);
  UniqueFd fd = probe.connected_ ? std::move(probe.connected_) : probe_socket(probe.target_);
  if (fd) return fd.release();
  probe.socket_error_ =
      fmt::format("no socket by {}: {}", probe.target_.device, std::strerror(errno));
  return CURL_SOCKET_BAD;
}

int CurlProbe::keep_connected(void*, curl_socket_t, curlsocktype) {
  return CURL_SOCKOPT_ALREADY_CONNECTED;
}

size_t CurlProbe::take_body(char* data, size_t size, size_t count, void* self) {
  auto& probe = *static_cast<CurlProbe*>(self);
  const size_t length = size * count;
  const size_t taken = std::min(length, kBodyMax - probe.body_.size());
  probe.body_.append(data, taken);
  probe.body_cut_ = taken < length;
  return probe.body_cut_ ? 0 : length;  // 0: enough was seen, ends the transfer
}

ProbeResult CurlProbe::judge(CURLcode code) const {
  if (!socket_error_.empty()) return ProbeResult::none(socket_error_);
  const bool enough = code == CURLE_WRITE_ERROR && body_cut_;
  return code == CURLE_OK || enough ? judge_answer() : ProbeResult::bad(failure(code));
}

ProbeResult CurlProbe::judge_answer() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  const bool expected = std::ranges::any_of(
      target_.check.expect_status,
      [status](StatusRange range) { return status >= range.first && status <= range.last; });
  if (!expected) return ProbeResult::bad(fmt::format("status {}", status));
  if (body_pattern_ && !re2::RE2::PartialMatch(body_, *body_pattern_)) {
    return ProbeResult::bad(fmt::format("status {}, but the body does not match", status));
  }
  return ProbeResult::good();
}

std::string CurlProbe::failure(CURLcode code) const {
  if (code == CURLE_COULDNT_CONNECT) {
    long os_error = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
    if (os_error != 0) return fmt::format("connect: {}", std::strerror(static_cast<int>(os_error)));
  }
  return error_[0] == '\0' ? curl_easy_strerror(code) : error_;
}

}  // namespace sluice::control
