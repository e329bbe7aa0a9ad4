// SPDX-License-Identifier: BSD-3-Clause
// The status page's HTTP, by civetweb.
#include "control/page.h"

#include <civetweb.h>
#include <fmt/format.h>

#include <mutex>
#include <string_view>

#include "control/page_html.h"
#include "control/preflight.h"

namespace sluice::control {
namespace {

// Everything the page needs is in it; nothing else may be fetched, framed or run.
constexpr const char* kHeaders =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'\r\n";

int reply(mg_connection* connection, int status, const char* type, std::string_view body) {
  const std::string_view method = mg_get_request_info(connection)->request_method;
  const bool head = method == "HEAD";
  if (method != "GET" && !head) {
    status = 405;
    body = "this page only shows\n";
  }
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %zu\r\n%s%s"
            "Connection: close\r\n\r\n",
            status, status == 200 ? "OK" : mg_get_response_code_text(connection, status), type,
            body.size(), kHeaders, status == 405 ? "Allow: GET, HEAD\r\n" : "");
  if (!head) mg_write(connection, body.data(), body.size());
  return status;
}

}  // namespace

struct Page::Server {
  mg_context* context = nullptr;
  std::mutex mutex;
  std::shared_ptr<const std::string> status = std::make_shared<std::string>("{}");

  static int answer(mg_connection* connection, void* self) {
    const std::string_view path = mg_get_request_info(connection)->local_uri;
    if (path == "/") return reply(connection, 200, "text/html", kPageHtml);
    if (path != "/status.json") {
      return reply(connection, 404, "text/plain", "there is only / and /status.json\n");
    }
    auto* server = static_cast<Server*>(self);
    std::shared_ptr<const std::string> latest;
    {
      const std::lock_guard lock(server->mutex);
      latest = server->status;
    }
    return reply(connection, 200, "application/json", *latest);
  }
};

Page::Page(net::Endpoint listen) : server_(std::make_unique<Server>()) {
  const std::string address = net::to_string(listen);
  // No document root: nothing of the file system is served.
  const char* options[] = {"listening_ports",    address.c_str(), "num_threads", "4",
                           "request_timeout_ms", "5000",          nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
  mg_init_library(0);
  server_->context = mg_start(&callbacks, server_.get(), options);
  if (server_->context == nullptr) {
    mg_exit_library();
    throw StartError(fmt::format("control.page_listen {}: cannot listen there", address));
  }
  mg_set_request_handler(server_->context, "**", Server::answer, server_.get());
}

Page::~Page() {
  mg_stop(server_->context);
  mg_exit_library();
}

void Page::publish(std::string status) {
  auto latest = std::make_shared<const std::string>(std::move(status));
  const std::lock_guard lock(server_->mutex);
  server_->status = std::move(latest);
}

}  // namespace sluice::control
