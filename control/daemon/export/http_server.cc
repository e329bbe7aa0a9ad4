// SPDX-License-Identifier: BSD-3-Clause
// libmicrohttpd, and the limits that it does not have: its own time-out begins anew with each byte.
#include "control/daemon/export/http_server.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <map>
#include <system_error>
#include <thread>

#include "control/config/socket_address.h"

namespace sluice::control {
namespace {

using HttpClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kHttpLookEvery{50};  // for who is late, and for the end
constexpr unsigned kRoundsPerLook = 500;  // a socket that is ready and of no use must not spin us
constexpr size_t kConnectionMemory = 16 * 1024;  // bounds a request's headers
constexpr unsigned kHttpBacklog = 128;
constexpr unsigned kIdleSecondsMax = 30;  // behind our own limits

// libmicrohttpd stops accepting at its own limit: connections that make way must not count there.
constexpr size_t kMakingWayMax = 64;

using Body = std::shared_ptr<const std::string>;

// Who counts as one client: an IPv4 address; of IPv6 a /64, because a host may use any address in
// its /64.
IpAddress client_of(const sockaddr& source) {
  constexpr uint8_t kHostsNetwork = 64;
  const IpAddress ip = address_of(source);
  return ip.is_v4() ? ip : IpPrefix{ip, kHostsNetwork}.first();
}

}  // namespace

HttpAnswer plain_answer(unsigned status, std::string text) {
  return {status, "text/plain; charset=utf-8",
          std::make_shared<const std::string>(std::move(text))};
}

class HttpServer::Daemon {
 public:
  Daemon(const IpEndpoint& listen, Handler handler, Headers headers, HttpLimits limits)
      : handler_(std::move(handler)), headers_(std::move(headers)), limits_(limits) {
    start(listen);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  ~Daemon() {
    thread_.request_stop();
    thread_.join();
    MHD_stop_daemon(daemon_);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  struct HttpConnection {
    int fd;
    IpAddress client;
    HttpClock::time_point deadline;
    bool answered = false;
    bool ended = false;  // shut down by us; libmicrohttpd is about to notice
  };

  void start(const IpEndpoint& listen);
  void run(const std::stop_token& stop);
  void end(HttpConnection& connection);
  void end_late();
  void make_way_for(const IpAddress& client);
  void make_way_among(const std::function<bool(const HttpConnection&)>& candidate);
  size_t open_count(const IpAddress& client) const;
  MHD_Result answer(MHD_Connection* connection, const char* path, std::string_view method);
  HttpAnswer answer_to(const char* path, std::string_view method);
  void note(MHD_Connection* connection, void** context, MHD_ConnectionNotificationCode code);

  Handler handler_;
  Headers headers_;
  HttpLimits limits_;
  std::list<HttpConnection> connections_;  // oldest first
  MHD_Daemon* daemon_ = nullptr;
  std::jthread thread_;
};

void HttpServer::Daemon::start(const IpEndpoint& listen) {
  const SocketAddress address(listen);
  const MHD_AcceptPolicyCallback on_accept = [](void* self, const sockaddr* from, socklen_t) {
    static_cast<Daemon*>(self)->make_way_for(client_of(*from));
    return MHD_YES;
  };
  const MHD_AccessHandlerCallback on_request = [](void* self, MHD_Connection* connection,
                                                  const char* path, const char* method, const char*,
                                                  const char*, size_t*, void**) {
    return static_cast<Daemon*>(self)->answer(connection, path, method);
  };
  const MHD_NotifyConnectionCallback on_connection = [](void* self, MHD_Connection* connection,
                                                        void** context,
                                                        MHD_ConnectionNotificationCode code) {
    static_cast<Daemon*>(self)->note(connection, context, code);
  };
  errno = 0;
  // "[::]" is IPv6 alone, as each address says what it is.
  const unsigned family = listen.ip.is_v4() ? MHD_NO_FLAG : MHD_USE_IPv6;
  daemon_ = MHD_start_daemon(
      MHD_USE_EPOLL | family, 0, on_accept, this, on_request, this, MHD_OPTION_SOCK_ADDR,
      address.get(), MHD_OPTION_NOTIFY_CONNECTION, on_connection, this, MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned>(limits_.connections_max + kMakingWayMax),
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory, MHD_OPTION_CONNECTION_TIMEOUT,
      kIdleSecondsMax, MHD_OPTION_LISTEN_BACKLOG_SIZE, kHttpBacklog, MHD_OPTION_END);
  if (daemon_ == nullptr) throw std::system_error(errno, std::generic_category(), "listen");
}

void HttpServer::Daemon::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto next_look = HttpClock::now() + kHttpLookEvery;
    for (unsigned round = 0; HttpClock::now() < next_look; ++round) {
      if (round == kRoundsPerLook) {
        std::this_thread::sleep_until(next_look);
        break;
      }
      MHD_run_wait(daemon_, static_cast<int>(kHttpLookEvery.count()));
    }
    end_late();
  }
}

// ---- limits ------------------------------------------------------------------------------------

void HttpServer::Daemon::end(HttpConnection& connection) {
  shutdown(connection.fd, SHUT_RDWR);
  connection.ended = true;
}

void HttpServer::Daemon::end_late() {
  const auto now = HttpClock::now();
  for (HttpConnection& connection : connections_) {
    if (!connection.ended && connection.deadline <= now) end(connection);
  }
}

size_t HttpServer::Daemon::open_count(const IpAddress& client) const {
  return static_cast<size_t>(std::ranges::count_if(connections_, [&](const HttpConnection& each) {
    return !each.ended && each.client == client;
  }));
}

// Whoever has not said what it wants goes before who is taking an answer.
void HttpServer::Daemon::make_way_among(
    const std::function<bool(const HttpConnection&)>& candidate) {
  for (const bool answered : {false, true}) {
    const auto oldest = std::ranges::find_if(connections_, [&](const HttpConnection& each) {
      return !each.ended && each.answered == answered && candidate(each);
    });
    if (oldest != connections_.end()) return end(*oldest);
  }
}

void HttpServer::Daemon::make_way_for(const IpAddress& client) {
  if (open_count(client) >= limits_.connections_per_address_max) {
    return make_way_among([&](const HttpConnection& each) { return each.client == client; });
  }
  std::map<IpAddress, size_t> counts;
  size_t all = 0;
  for (const HttpConnection& each : connections_) {
    if (each.ended) continue;
    ++counts[each.client];
    ++all;
  }
  if (all < limits_.connections_max) return;
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  make_way_among([=](const HttpConnection& each) { return each.client == most->first; });
}

void HttpServer::Daemon::note(MHD_Connection* connection, void** context,
                              MHD_ConnectionNotificationCode code) {
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    const int fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const sockaddr* source =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    *context = &connections_.emplace_back(
        HttpConnection{fd, client_of(*source), HttpClock::now() + limits_.request_max});
  } else if (*context != nullptr) {
    connections_.remove_if([&](const HttpConnection& each) { return &each == *context; });
  }
}

// ---- answers -----------------------------------------------------------------------------------

HttpAnswer HttpServer::Daemon::answer_to(const char* path, std::string_view method) {
  if (method != "GET" && method != "HEAD") return plain_answer(405, "this only shows\n");
  try {
    return handler_(path);
  } catch (const std::exception& error) {
    return plain_answer(500, std::string(error.what()) + "\n");
  }
}

MHD_Result HttpServer::Daemon::answer(MHD_Connection* connection, const char* path,
                                      std::string_view method) {
  // A body is not waited for: the connection ends with the answer.
  const HttpAnswer made = answer_to(path, method);
  auto* body = new Body(made.body);
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(
      (*body)->size(), const_cast<char*>((*body)->data()),
      [](void* self) { delete static_cast<Body*>(self); }, body);
  if (response == nullptr) {
    delete body;
    return MHD_NO;
  }
  MHD_add_response_header(response, "Content-Type", made.type.c_str());
  MHD_add_response_header(response, "Connection", "close");
  if (made.status == 405) MHD_add_response_header(response, "Allow", "GET, HEAD");
  for (const auto& [name, value] : headers_) MHD_add_response_header(response, name, value);
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (info != nullptr && info->socket_context != nullptr) {
    auto& known = *static_cast<HttpConnection*>(info->socket_context);
    known.answered = true;
    known.deadline = HttpClock::now() + limits_.answer_max;
  }
  const MHD_Result queued = MHD_queue_response(connection, made.status, response);
  MHD_destroy_response(response);
  return queued;
}

// ------------------------------------------------------------------------------------------------

HttpServer::HttpServer(const IpEndpoint& listen, Handler handler, Headers headers,
                       HttpLimits limits)
    : daemon_(std::make_unique<Daemon>(listen, std::move(handler), std::move(headers), limits)) {}

HttpServer::~HttpServer() = default;

}  // namespace sluice::control
