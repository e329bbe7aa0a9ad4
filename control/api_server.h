// SPDX-License-Identifier: BSD-3-Clause
// Answers requests on the local API socket: one JSON object a line in, one a line out.
//
//   -> {"command":"show","what":"services"}
//   <- {"ok":true,"result":{...}}      or      <- {"ok":false,"error":"..."}
//
// Nothing a client does may hurt the control thread: requests, clients and waiting times are
// bounded, nothing blocks, and whoever does not follow the protocol loses the connection.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "control/api_socket.h"
#include "control/event_loop.h"

namespace sluice::control {

// What a handler throws to answer {"ok":false,"error":what}.
class RequestError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ApiLimits {
  size_t request_bytes_max = 4096;
  size_t clients_max = 32;  // one more, and the one that was silent for longest has to go
  std::chrono::milliseconds silence_max{10000};
};

class ApiServer {
 public:
  using Handler = std::function<nlohmann::json(const nlohmann::json& request)>;

  ApiServer(EventLoop& loop, ApiSocket& socket, Handler handler, ApiLimits limits = {});
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  size_t client_count() const { return clients_.size(); }

 private:
  struct Client {
    UniqueFd fd;
    std::string in;
    std::string out;
    EventLoop::Clock::time_point active;
    bool closing = false;  // sends no more requests, or none that can be read
  };

  void accept_all();
  void on_event(int fd, uint32_t events);
  // These three say false when the client is to be dropped.
  bool read_from(Client& client);
  bool write_to(Client& client);
  bool make_progress(Client& client);
  bool answer_next(Client& client);  // false: there is no whole request
  std::string answer(const std::string& line);
  void drop(int fd);
  void drop_most_silent();
  void drop_silent();

  EventLoop& loop_;
  ApiSocket& socket_;
  Handler handler_;
  ApiLimits limits_;
  std::map<int, Client> clients_;
};

}  // namespace sluice::control
