// SPDX-License-Identifier: BSD-3-Clause
// A server on the loopback that answers datagrams as a test has it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "control/common/unique_fd.h"
#include "control/config/address_text.h"
#include "control/config/socket_address.h"

namespace sluice::control {

class UdpServer {
 public:
  // The datagrams that answer one; `index` counts from 0.
  using Answers = std::function<std::vector<std::string>(const std::string& question, int index)>;

  explicit UdpServer(Answers answers, const char* at = "127.0.0.1") : answers_(std::move(answers)) {
    SocketAddress address({*parse_ip(at), {}});
    fd_ = UniqueFd(socket(address.family(), SOCK_DGRAM, 0));
    EXPECT_EQ(bind(fd_.get(), address.get(), address.length), 0) << at;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    // The port is at the same place in both families.
    port_ = ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
    const timeval wait{0, 20000};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    thread_ = std::thread([this] { serve(); });
  }
  ~UdpServer() {
    stops_ = true;
    thread_.join();
  }
  UdpServer(const UdpServer&) = delete;
  UdpServer& operator=(const UdpServer&) = delete;

  uint16_t port() const { return port_; }
  int question_count() const { return question_count_; }

 private:
  void serve() {
    while (!stops_) {
      char question[2048];
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const ssize_t length = recvfrom(fd_.get(), question, sizeof question, 0,
                                      reinterpret_cast<sockaddr*>(&from), &size);
      if (length < 0) continue;
      const std::string said(question, static_cast<size_t>(length));
      for (const std::string& answer : answers_(said, question_count_++)) {
        EXPECT_EQ(sendto(fd_.get(), answer.data(), answer.size(), 0,
                         reinterpret_cast<sockaddr*>(&from), size),
                  static_cast<ssize_t>(answer.size()));
      }
    }
  }

  UniqueFd fd_;
  Answers answers_;
  uint16_t port_ = 0;
  std::atomic<bool> stops_ = false;
  std::atomic<int> question_count_ = 0;
  std::thread thread_;
};

}  // namespace sluice::control
