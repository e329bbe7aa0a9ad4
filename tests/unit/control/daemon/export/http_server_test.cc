// SPDX-License-Identifier: BSD-3-Clause
// The HTTP server among clients that mean it harm: whoever asks properly is answered.
#include "control/daemon/export/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "control/common/unique_fd.h"
#include "control/config/address_text.h"
#include "control/config/socket_address.h"

namespace sluice::control {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class Http : public testing::Test {
 protected:
  Http() {
    // A port that is free now.
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address = loopback(1, 0);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }

  // 127.0.0.HOST
  static sockaddr_in loopback(uint32_t host, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000000 | host);
    address.sin_port = htons(port);
    return address;
  }
  std::unique_ptr<HttpServer> serve(HttpLimits limits = {}) {
    const auto answer = [this](std::string_view path) {
      ++asked_;
      if (path == "/big") return plain_answer(200, std::string(8 << 20, 'x'));
      return path == "/" ? plain_answer(200, "hello\n") : plain_answer(404, "none\n");
    };
    const net::Ipv4Endpoint listen{net::Ipv4Address::from_host(0x7f000001),
                                   net::be16::from_host(port_)};
    return std::make_unique<HttpServer>(listen, answer, HttpServer::Headers{{"X-Mine", "yes"}},
                                        limits);
  }
  UniqueFd connect_from(uint32_t host) const {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in from = loopback(host, 0), to = loopback(1, port_);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const timeval timeout{10, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return fd;
  }
  static bool send_text(const UniqueFd& fd, const std::string& text) {
    return send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  static std::string rest_of(const UniqueFd& fd) {
    std::string text;
    char chunk[4096];
    for (ssize_t n = 0; (n = recv(fd.get(), chunk, sizeof chunk, 0)) > 0;) {
      text.append(chunk, static_cast<size_t>(n));
    }
    return text;
  }
  std::string ask(const std::string& request, uint32_t host = 1) const {
    const UniqueFd fd = connect_from(host);
    send_text(fd, request);
    return rest_of(fd);
  }
  std::string get(uint32_t host = 1) const {
    return ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n", host);
  }
  void expect_prompt(uint32_t host = 1) const {
    const auto begin = Clock::now();
    EXPECT_TRUE(get(host).ends_with("\r\n\r\nhello\n"));
    EXPECT_LT(Clock::now() - begin, milliseconds(1000));
  }

  uint16_t port_ = 0;
  std::atomic<int> asked_ = 0;
};

TEST_F(Http, AnswersAndOnlyShows) {
  const auto server = serve();
  const std::string answer = get();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("X-Mine: yes\r\n"), answer.npos);
  EXPECT_NE(answer.find("Content-Length: 6\r\n"), answer.npos);
  EXPECT_TRUE(ask("GET /x HTTP/1.0\r\n\r\n").find(" 404 ") != answer.npos);
  const std::string head = ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(head.find("Content-Length: 6\r\n") != head.npos && head.ends_with("\r\n\r\n"))
      << head;
  const std::string post = ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx");
  EXPECT_TRUE(post.find(" 405 ") != post.npos && post.find("Allow: GET, HEAD") != post.npos)
      << post;
  EXPECT_EQ(asked_, 3);
  ask(std::string(100'000, 'x'));
  expect_prompt();
}

// One family does not take the other's port.
TEST_F(Http, ListensOnIpv6BesideIpv4) {
  const auto v4 = serve();
  const auto answer = [](std::string_view) { return plain_answer(200, "by IPv6\n"); };
  std::optional<HttpServer> v6;
  try {
    v6.emplace(IpEndpoint{net::Ipv6Address{}, net::be16::from_host(port_)}, answer);
  } catch (const std::system_error& error) {
    GTEST_SKIP() << "no IPv6 on this machine: " << error.what();
  }
  const SocketAddress to({*parse_ip("::1"), net::be16::from_host(port_)});
  const UniqueFd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(fd.get(), to.get(), to.length), 0) << strerror(errno);
  EXPECT_TRUE(send_text(fd, "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"));
  EXPECT_TRUE(rest_of(fd).ends_with("\r\n\r\nby IPv6\n"));
  expect_prompt();
}

TEST_F(Http, TheAddressMayBeTaken) {
  const auto server = serve();
  EXPECT_THROW(serve(), std::system_error);
}

// Two hundred from one address and two hundred from elsewhere, half of them saying a byte now and
// then.
TEST_F(Http, HalfSentRequestsCostNobodyElseAnAnswer) {
  const auto server = serve();
  std::vector<UniqueFd> halves;
  for (uint32_t i = 0; i < 400; ++i) {
    halves.push_back(connect_from(i < 200 ? 1 : 2 + i % 40));
    send_text(halves.back(), "GET / HT");
  }
  const auto begin = Clock::now();
  for (int i = 0; i < 10; ++i) {
    expect_prompt(1);
    expect_prompt(200);
    for (size_t at = 0; at < halves.size(); at += 2) send_text(halves[at], "T");
    std::this_thread::sleep_for(milliseconds(20));
  }
  // However often they say something, two seconds is all they have.
  while (Clock::now() - begin < milliseconds(2300)) {
    for (size_t at = 0; at < halves.size(); at += 2) send_text(halves[at], "T");
    std::this_thread::sleep_for(milliseconds(100));
  }
  for (const UniqueFd& half : halves) {
    char byte = 0;
    EXPECT_LE(recv(half.get(), &byte, 1, MSG_DONTWAIT), 0);
    EXPECT_NE(errno, EAGAIN);
    errno = 0;
  }
}

TEST_F(Http, AnAddressHasItsShare) {
  const auto server = serve({.connections_per_address_max = 4});
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(connect_from(3));
  const UniqueFd other = connect_from(4);
  expect_prompt(3);
  size_t open = 0;
  for (const UniqueFd& fd : silent) {
    char byte = 0;
    open += recv(fd.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN ? 1 : 0;
  }
  EXPECT_LE(open, 4u);
  EXPECT_TRUE(send_text(other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(rest_of(other).ends_with("hello\n"));
}

TEST_F(Http, WhoDoesNotTakeItsAnswerIsSentAway) {
  const auto server = serve({.answer_max = milliseconds(300)});
  const UniqueFd fd = connect_from(1);
  send_text(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(1000));
  expect_prompt();
  EXPECT_LT(rest_of(fd).size(), size_t{8} << 20);
}

TEST_F(Http, TheEndWaitsForNobody) {
  auto server = serve();
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(connect_from(1));
  expect_prompt();
  const auto begin = Clock::now();
  server.reset();
  EXPECT_LT(Clock::now() - begin, milliseconds(1500));  // they would be cut after two seconds
}

}  // namespace
}  // namespace sluice::control
