// SPDX-License-Identifier: BSD-3-Clause
// The status page on control.page_listen: `/` is one HTML page that asks for `/status.json` once a
// second. Read-only.
//
// The control thread hands over finished JSON; the HTTP server's own thread only ever reads the
// last one, so no browser can hold control up.
#pragma once

#include <memory>
#include <string>

#include "control/config/ip_address.h"

namespace sluice::control {

class Page {
 public:
  // Throws StartError when the address cannot be listened on.
  explicit Page(const IpEndpoint& listen);
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  void publish(std::string status);

 private:
  class Server;
  std::unique_ptr<Server> server_;
};

}  // namespace sluice::control
