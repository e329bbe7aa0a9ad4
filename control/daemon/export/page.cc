// SPDX-License-Identifier: BSD-3-Clause
// The status page's two documents.
#include "control/daemon/export/page.h"

#include <fmt/format.h>

#include <mutex>
#include <system_error>

#include "control/common/errors.h"
#include "control/config/address_text.h"
#include "control/daemon/export/http_server.h"
#include "control/page_html.h"

namespace sluice::control {
namespace {

// Everything the page needs is in it; nothing else may be fetched, framed or run.
const HttpServer::Headers kPageHeaders = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
     "connect-src 'self'; img-src data:; frame-ancestors 'none'"}};

}  // namespace

class Page::Server {
 public:
  explicit Server(const IpEndpoint& listen)
      : http_(
            listen, [this](std::string_view path) { return answer(path); }, kPageHeaders) {}

  void publish(std::string status) {
    auto latest = std::make_shared<const std::string>(std::move(status));
    const std::lock_guard lock(mutex_);
    status_ = std::move(latest);
  }

 private:
  HttpAnswer answer(std::string_view path) {
    if (path == "/") return {200, "text/html; charset=utf-8", html_};
    if (path != "/status.json") return plain_answer(404, "there is only / and /status.json\n");
    const std::lock_guard lock(mutex_);
    return {200, "application/json; charset=utf-8", status_};
  }

  std::mutex mutex_;
  std::shared_ptr<const std::string> status_ = std::make_shared<const std::string>("{}");
  std::shared_ptr<const std::string> html_ = std::make_shared<const std::string>(kPageHtml);
  HttpServer http_;  // last: it calls into all of this
};

Page::Page(const IpEndpoint& listen) try : server_(std::make_unique<Server>(listen)) {
} catch (const std::system_error& error) {
  throw StartError(fmt::format("control.page_listen {}: {}", to_string(listen), error.what()));
}

Page::~Page() = default;

void Page::publish(std::string status) {
  server_->publish(std::move(status));
}

}  // namespace sluice::control
