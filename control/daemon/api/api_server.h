// SPDX-License-Identifier: BSD-3-Clause
// Answers requests on the local API socket: one JSON object a line in, one a line out.
//
//   -> {"command":"show","what":"services"}
//   <- {"ok":true,"result":{...}}      or      <- {"ok":false,"error":"..."}
//
// with "api" (api_answer.h) and "version" beside them. Who asks may be older or newer: fields of
// answers come and go, and are read by their names. What may be asked is in api_call.h.
//
// Nothing a client does may hurt the control thread: requests, clients and waiting times are
// bounded, nothing blocks, and whoever does not follow the protocol loses the connection.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "control/common/errors.h"
#include "control/daemon/api/api_socket.h"
#include "control/daemon/loop/event_loop.h"

namespace sluice::control {

struct ApiLimits {
  size_t request_bytes_max = 4096;
  size_t clients_max = 32;  // one more, and the one that was silent for longest has to go
  std::chrono::milliseconds silence_max{10000};
};

class ApiServer {
 public:
  // Answers one request, at once or later, on the loop's thread; only the first answer counts. A
  // client that has gone meanwhile gets nothing, nor does anybody once the server is gone.
  class Reply {
   public:
    void give(const nlohmann::json& result) const;
    void refuse(const std::string& why) const;

   private:
    friend class ApiServer;
    Reply(std::weak_ptr<ApiServer*> server, int fd, uint64_t serial)
        : server_(std::move(server)), fd_(fd), serial_(serial) {}

    std::weak_ptr<ApiServer*> server_;
    int fd_;
    uint64_t serial_;
  };
  using Handler = std::function<nlohmann::json(const nlohmann::json& request)>;
  // What it throws is a refusal; it replies or throws, not both.
  using LaterHandler = std::function<void(const nlohmann::json& request, const Reply& reply)>;

  ApiServer(EventLoop& loop, ApiSocket& socket, LaterHandler handler, ApiLimits limits = {});
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
    bool closing = false;    // sends no more requests, or none that can be read
    uint64_t waits_for = 0;  // the request that is being answered; its next ones wait
    bool handled = false;    // in the handler now
  };

  void accept_all();
  bool make_room_for_descriptor(int error);
  void on_event(int fd, uint32_t events);
  void proceed(int fd);
  // These three say false when the client is to be dropped.
  bool read_from(Client& client);
  bool write_to(Client& client);
  bool make_progress(Client& client);
  bool answer_next(Client& client);  // false: there is no whole request, or its answer comes later
  void answer(int fd, Client& client, const std::string& line);
  void finish(int fd, uint64_t serial, std::string line);
  void drop(int fd);
  void drop_most_silent();
  void drop_silent();

  EventLoop& loop_;
  ApiSocket& socket_;
  LaterHandler handler_;
  ApiLimits limits_;
  std::map<int, Client> clients_;
  uint64_t last_serial_ = 0;
  bool paused_ = false;  // accepts nobody for a while: there are no descriptors
  std::shared_ptr<ApiServer*> self_ = std::make_shared<ApiServer*>(this);
};

}  // namespace sluice::control
