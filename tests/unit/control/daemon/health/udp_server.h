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

namespace sluice::control {

class UdpServer {
 public:
  // The datagrams that answer one; `index` counts from 0.
  using Answers = std::function<std::vector<std::string>(const std::string& question, int index)>;

  explicit UdpServer(Answers answers)
      : fd_(socket(AF_INET, SOCK_DGRAM, 0)), answers_(std::move(answers)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
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
      sockaddr_in from{};
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
