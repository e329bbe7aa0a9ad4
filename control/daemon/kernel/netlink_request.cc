// SPDX-License-Identifier: BSD-3-Clause
// A socket for each request: they are few, and nothing of one is left for the next.
#include "control/daemon/kernel/netlink_request.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace sluice::control {

NetlinkRequest::NetlinkRequest(uint16_t type, uint16_t flags, Kind kind)
    : header_(mnl_nlmsg_put_header(buffer_)) {
  const uint16_t acknowledged = kind == Kind::kChange ? NLM_F_ACK : 0;
  header_->nlmsg_type = type;
  header_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | acknowledged | flags);
  header_->nlmsg_seq = 1;
}

void NetlinkRequest::send(const std::string& step, int accepted) {
  const int error = ask(nullptr, nullptr);
  if (error == 0 || error == accepted) return;
  throw std::runtime_error(fmt::format("{}: {}", step, std::strerror(error)));
}

int NetlinkRequest::ask(mnl_cb_t read, void* data) {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return errno;
  int error = 0;
  ssize_t length = 0;
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) != 0 ||
      mnl_socket_sendto(socket, header_, header_->nlmsg_len) < 0 ||
      (length = mnl_socket_recvfrom(socket, buffer_, sizeof buffer_)) < 0 ||
      mnl_cb_run(buffer_, static_cast<size_t>(length), 1, mnl_socket_get_portid(socket), read,
                 data) < 0) {
    error = errno;
  }
  mnl_socket_close(socket);
  return error;
}

}  // namespace sluice::control
