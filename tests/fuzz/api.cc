// SPDX-License-Identifier: BSD-3-Clause
// Any bytes from a client of the API socket, in pieces: every whole line gets one line back, and
// the server is well afterwards.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "control/daemon/api/api_call.h"
#include "control/daemon/api/api_server.h"

namespace {

using namespace sluice::control;  // NOLINT
using nlohmann::json;

// Calls with a parameter of each kind; what they read throws where a check has let too much pass.
ApiCalls calls() {
  const auto echo = [](const json& request, const ApiServer::Reply& reply) { reply.give(request); };
  return ApiCalls(
      {{"show",
        Access::kRead,
        {required("what", word({"services", "flows"})), optional("limit", any_count()),
         optional("filter", object({optional("client", host_or_network())}))},
        [](const json& request, const ApiServer::Reply& reply) {
          reply.give({{"what", request.at("what").get<std::string>()},
                      {"n", request.value("limit", size_t{100})}});
        }},
       {"explain",
        Access::kRead,
        {required("local", endpoint()), optional("seq", integer(kUint32Range))},
        echo},
       {"trace_start", Access::kWrite, {required("client", host())}, echo},
       {"drain", Access::kWrite, {optional("exit", flag()), optional("service", any_text())}, echo},
       {"throw", Access::kRead, {}, [](const json&, const ApiServer::Reply&) {
          throw RequestError("as asked");
        }}});
}

class Server {
 public:
  Server() { socket_.listen(); }
  ~Server() { unlink((path_ + ".lock").c_str()); }

  void play(const uint8_t* data, size_t size) {
    const UniqueFd client = connect_to(path_);
    for (size_t at = 0; at < size;) {
      const size_t piece = std::min<size_t>(size - at, 1 + data[at] * 16);
      if (send(client.get(), data + at, piece, MSG_NOSIGNAL) < 0) break;
      at += piece;
      turn();
    }
    shutdown(client.get(), SHUT_WR);
    for (int i = 0; i < 4; ++i) turn();
    char answer[4096];
    ssize_t count = 0;
    char last = '\n';
    while ((count = recv(client.get(), answer, sizeof answer, MSG_DONTWAIT)) > 0) {
      last = answer[count - 1];
      turn();
    }
    if (last != '\n') std::abort();
  }

 private:
  static UniqueFd connect_to(const std::string& path) {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
    return fd;
  }
  void turn() { loop_.run_once(std::chrono::milliseconds(0)); }

  std::string path_ = "/tmp/sluice-fuzz-" + std::to_string(getpid()) + ".sock";
  EventLoop loop_;
  ApiSocket socket_{path_};
  ApiCalls calls_ = calls();
  ApiServer server_{loop_, socket_, [this](const json& request, const ApiServer::Reply& reply) {
                      calls_.answer(request, reply, Access::kWrite);
                    }};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Server server;
  server.play(data, size);
  return 0;
}
