// SPDX-License-Identifier: BSD-3-Clause
// HTTP for the metrics and the page: GET and HEAD on one address, one request a connection
// (libmicrohttpd on a thread of its own).
//
// Whoever can reach the address may connect, so no client may cost another one its answer: the
// whole request has to be there within a time that no byte of it prolongs, and so has the answer to
// be read; where an address has as many connections as it may have, or all have, the oldest
// unfinished one makes way for the new one. A request that is sent in one piece is answered at
// once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/ip_address.h"

namespace sluice::control {

struct HttpAnswer {
  unsigned status = 200;
  std::string type;  // Content-Type
  std::shared_ptr<const std::string> body;
};

HttpAnswer plain_answer(unsigned status, std::string text);

struct HttpLimits {
  std::chrono::milliseconds request_max{2000};  // from the connection to the end of the headers
  std::chrono::milliseconds answer_max{8000};   // from there until the answer has been taken
  size_t connections_max = 256;
  size_t connections_per_address_max = 32;
};

class HttpServer {
 public:
  // Called on the server's thread, while other clients wait.
  using Handler = std::function<HttpAnswer(std::string_view path)>;
  using Headers = std::vector<std::pair<const char*, const char*>>;  // beside each answer

  // Throws std::system_error when the address cannot be listened on.
  HttpServer(const IpEndpoint& listen, Handler handler, Headers headers = {},
             HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  class Daemon;
  std::unique_ptr<Daemon> daemon_;
};

}  // namespace sluice::control
