// SPDX-License-Identifier: BSD-3-Clause
// One rtnetlink request and the kernel's answer to it.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <string>

#include "control/config/ip_address.h"

namespace sluice::control {

class NetlinkRequest {
 public:
  // Changes ask for an acknowledgement; the answer to a question is its own.
  enum class Kind : uint8_t { kChange, kQuestion };

  NetlinkRequest(uint16_t type, uint16_t flags, Kind kind = Kind::kChange);

  template <class Body>
  Body& body() {
    return *static_cast<Body*>(mnl_nlmsg_put_extra_header(header_, sizeof(Body)));
  }
  void put(uint16_t attribute, const void* data, size_t size) {
    mnl_attr_put(header_, attribute, size, data);
  }
  void put(uint16_t attribute, const IpAddress& ip) {
    put(attribute, ip.bytes().data(), ip.bytes().size());
  }
  void put(uint16_t attribute, uint32_t number) { put(attribute, &number, sizeof number); }

  // `accepted` is an errno that is as good as success. Throws std::runtime_error with the step and
  // the kernel's reason.
  void send(const std::string& step, int accepted = 0);
  // Sends a question and gives each message of the answer to `read`; an errno, 0 on success.
  int ask(mnl_cb_t read, void* data);

 private:
  // Large enough for whatever the kernel says of one interface.
  alignas(nlmsghdr) char buffer_[16384];
  nlmsghdr* header_;
};

}  // namespace sluice::control
