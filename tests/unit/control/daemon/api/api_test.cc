// SPDX-License-Identifier: BSD-3-Clause
// The API socket and its server: who may claim it, what is answered, and that no client hurts.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>
#include <random>
#include <thread>

#include "control/cli/api_client.h"
#include "control/daemon/api/api_server.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

class Api : public testing::Test {
 protected:
  Api() {
    char pattern[] = "/tmp/sluice-api-XXXXXX";
    directory_ = mkdtemp(pattern);
    path_ = directory_ + "/run/api.sock";
  }
  ~Api() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
  std::string path_;
};

// Answers that come when somebody else has done something.
class ApiLater : public Api {
 protected:
  ApiLater() : socket_(path_) {
    socket_.listen();
    server_ =
        std::make_unique<ApiServer>(loop_, socket_, ApiServer::LaterHandler(later()),
                                    ApiLimits{.clients_max = 4, .silence_max = milliseconds(500)});
  }
  ApiServer::LaterHandler later() {
    return [this](const json& request, const ApiServer::Reply& reply) {
      const std::string command = request.at("command");
      if (command == "now") return reply.give("now");
      if (command == "throw") throw RequestError("thrown");
      waiting_.push_back(reply);
    };
  }
  UniqueFd connect_raw() const {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  // For as long, and for some rounds even where the machine leaves no time for them.
  void run_for(milliseconds time) {
    const auto end = EventLoop::Clock::now() + time;
    for (int round = 0; round < 5 || EventLoop::Clock::now() < end; ++round) {
      loop_.run_once(milliseconds(1));
    }
  }
  std::string said(const UniqueFd& fd, const std::string& text = "") {
    (void)!send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    run_for(milliseconds(10));
    char chunk[4096];
    const ssize_t count = recv(fd.get(), chunk, sizeof chunk, 0);
    return count > 0 ? std::string(chunk, static_cast<size_t>(count)) : "";
  }

  static constexpr const char* kWait = "{\"command\":\"wait\"}\n";
  static constexpr const char* kNow = "{\"command\":\"now\"}\n";
  static constexpr const char* kAnswer = "\"ok\":true,\"result\":\"now\"";

  EventLoop loop_;
  ApiSocket socket_;
  std::unique_ptr<ApiServer> server_;
  std::vector<ApiServer::Reply> waiting_;
};

TEST_F(ApiLater, AnAnswerMayComeLaterAndInOrder) {
  const UniqueFd fd = connect_raw();
  EXPECT_EQ(said(fd, std::string(kWait) + kNow), "");
  const UniqueFd other = connect_raw();
  EXPECT_NE(said(other, kNow).find(kAnswer), std::string::npos);
  run_for(milliseconds(700));  // who waits for us is not silent
  ASSERT_EQ(waiting_.size(), 1u);
  waiting_[0].give("late");
  waiting_[0].refuse("twice");
  const std::string both = said(fd);
  EXPECT_NE(both.find(kAnswer), std::string::npos) << both;
  EXPECT_LT(both.find("\"result\":\"late\""), both.find(kAnswer)) << both;
  EXPECT_NE(said(fd, "{\"command\":\"throw\"}\n").find("thrown"), std::string::npos);
}

TEST_F(ApiLater, WhoHasGoneMissesItsAnswer) {
  UniqueFd fd = connect_raw();
  said(fd, kWait);
  shutdown(fd.get(), SHUT_WR);  // and yet reads
  run_for(milliseconds(5));
  ASSERT_EQ(waiting_.size(), 1u);
  waiting_[0].refuse("late");
  EXPECT_NE(said(fd).find("late"), std::string::npos);
  fd = connect_raw();
  said(fd, kWait);
  fd = UniqueFd();
  run_for(milliseconds(5));
  EXPECT_EQ(server_->client_count(), 0u);
  const UniqueFd next = connect_raw();  // by the same number
  ASSERT_EQ(waiting_.size(), 2u);
  waiting_[1].give("late");
  EXPECT_NE(said(next, kNow).find(kAnswer), std::string::npos);
  server_.reset();
  waiting_[1].give("later");
}

// Connections that cannot be accepted keep the socket ready.
TEST_F(ApiLater, WithoutADescriptorItDoesNotSpin) {
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect_raw());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{static_cast<rlim_t>(clients.back().get() + 1), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  int rounds = 0;
  const auto end = EventLoop::Clock::now() + milliseconds(20);
  for (; EventLoop::Clock::now() < end; ++rounds) loop_.run_once(milliseconds(5));
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_LT(rounds, 50);
  for (int i = 0; i < 100 && server_->client_count() < 3; ++i) run_for(milliseconds(20));
  EXPECT_EQ(server_->client_count(), 3u);
}

class ApiWithServer : public Api {
 protected:
  ApiWithServer() : socket_(path_) {
    socket_.listen();
    server_ = std::make_unique<ApiServer>(
        loop_, socket_, handle, ApiLimits{.clients_max = 4, .silence_max = milliseconds(800)});
    thread_ = std::thread([this] {
      while (!stop_) loop_.run_once(milliseconds(10));
    });
  }
  ~ApiWithServer() override {
    stop_ = true;
    thread_.join();
  }

  static json handle(const json& request) {
    const std::string command = request.at("command");
    if (command == "echo") return request;
    if (command == "big") return std::string(1 << 20, 'x');
    throw RequestError("unknown command " + command);
  }

  UniqueFd connect_raw() const {
    UniqueFd fd(socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval timeout{5, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return fd;
  }
  static void send_text(const UniqueFd& fd, const std::string& text) {
    (void)!send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  // What comes until the other side hangs up or a whole line is there.
  static std::string receive(const UniqueFd& fd) {
    std::string text;
    char c = 0;
    while (recv(fd.get(), &c, 1, 0) == 1) {
      text += c;
      if (c == '\n') break;
    }
    return text;
  }
  void expect_alive() { EXPECT_EQ(ask(path_, {{"command", "echo"}})["command"], "echo"); }

  EventLoop loop_;
  ApiSocket socket_;
  std::unique_ptr<ApiServer> server_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_F(Api, TheSocketIsTheOwnersAlone) {
  ApiSocket socket(path_);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(Api, AReadSocketIsTheGroupsToo) {
  const group* own = getgrgid(getegid());
  ASSERT_NE(own, nullptr);
  ApiSocket socket(path_, {"control.read_socket", 0660, own->gr_name});
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  EXPECT_EQ(status.st_gid, getegid());
}

TEST_F(Api, AGroupThatIsNotThereIsNamed) {
  try {
    ApiSocket socket(path_, {"control.read_socket", 0660, "no-such-group"});
    FAIL();
  } catch (const ApiSocketError& error) {
    EXPECT_NE(std::string(error.what()).find("groupadd --system no-such-group"), std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(Api, ASecondStartIsRefused) {
  ApiSocket first(path_);
  try {
    ApiSocket second(path_);
    FAIL();
  } catch (const ApiSocketError& error) {
    EXPECT_NE(std::string(error.what()).find("already running"), std::string::npos);
  }
}

TEST_F(Api, ASocketLeftBehindIsReplaced) {
  std::filesystem::create_directories(directory_ + "/run");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  {
    const UniqueFd dead(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_NO_THROW(ApiSocket{path_});
  EXPECT_FALSE(std::filesystem::exists(path_));  // and taken away in the end
}

TEST_F(Api, AnotherFileIsNotReplaced) {
  std::filesystem::create_directories(path_);
  EXPECT_THROW(ApiSocket{path_}, ApiSocketError);
  EXPECT_THROW(ApiSocket{"/proc/sluice/api.sock"}, ApiSocketError);
  EXPECT_THROW(ApiSocket{directory_ + "/" + std::string(200, 'x')}, ApiSocketError);
}

TEST_F(Api, NobodyListensIsOneClearLine) {
  for (bool claimed : {false, true}) {
    std::unique_ptr<ApiSocket> socket;
    if (claimed) socket = std::make_unique<ApiSocket>(path_);  // claimed, not yet listening
    try {
      ask(path_, {{"command", "echo"}});
      FAIL();
    } catch (const ApiError& error) {
      EXPECT_NE(std::string(error.what()).find("nobody listens"), std::string::npos);
    }
  }
}

TEST_F(ApiWithServer, AnswersAndRefuses) {
  expect_alive();
  EXPECT_THROW(ask(path_, {{"command", "nonsense"}}), ApiError);
  EXPECT_THROW(ask(path_, {{"no", "command"}}), ApiError);
  EXPECT_THROW(ask(path_, {{"command", 5}}), ApiError);
  EXPECT_THROW(ask(path_, json::array({1, 2})), ApiError);
  EXPECT_EQ(ask(path_, {{"command", "big"}}).get<std::string>().size(), 1u << 20);
  expect_alive();
}

TEST_F(ApiWithServer, ManyRequestsOnOneConnection) {
  const UniqueFd fd = connect_raw();
  send_text(fd, "{\"command\":\"echo\",\"n\":1}\n{\"command\":\"echo\",\"n\":2}\n");
  EXPECT_NE(receive(fd).find("\"n\":1"), std::string::npos);
  EXPECT_NE(receive(fd).find("\"n\":2"), std::string::npos);
}

TEST_F(ApiWithServer, WhoHangsUpHalfwayStillGetsItsAnswer) {
  const UniqueFd fd = connect_raw();
  send_text(fd, "{\"command\":\"echo\"}\n");
  shutdown(fd.get(), SHUT_WR);
  EXPECT_NE(receive(fd).find("\"ok\":true"), std::string::npos);
  EXPECT_EQ(receive(fd), "");
}

TEST_F(ApiWithServer, GarbageIsAnsweredOrDropped) {
  std::mt19937 random(1);
  for (int i = 0; i < 100; ++i) {
    const UniqueFd fd = connect_raw();
    std::string bytes(random() % 9000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    send_text(fd, bytes + "\n");
    EXPECT_NE(receive(fd).find("\"ok\":false"), std::string::npos);
  }
  expect_alive();
}

TEST_F(ApiWithServer, ARequestWithoutEndIsCut) {
  const UniqueFd fd = connect_raw();
  for (int i = 0; i < 100; ++i) send_text(fd, std::string(1000, 'x'));
  std::string answer = receive(fd);
  EXPECT_TRUE(answer.empty() || answer.find("too long") != std::string::npos) << answer;
  expect_alive();
}

TEST_F(ApiWithServer, DeepNestingIsHarmless) {
  const UniqueFd fd = connect_raw();
  send_text(fd, std::string(4000, '[') + "\n");
  EXPECT_NE(receive(fd).find("\"ok\":false"), std::string::npos);
  send_text(fd, "{\"command\":" + std::string(1900, '[') + std::string(1900, ']') + "}\n");
  EXPECT_NE(receive(fd).find("\"ok\":false"), std::string::npos);
}

TEST_F(ApiWithServer, SilentClientsMakeRoom) {
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(connect_raw());
  expect_alive();
  std::this_thread::sleep_for(milliseconds(1500));
  for (const UniqueFd& fd : silent) EXPECT_EQ(receive(fd), "");  // all were sent away
  expect_alive();
}

TEST_F(ApiWithServer, WhoDoesNotReadIsSentAway) {
  const UniqueFd fd = connect_raw();
  for (int i = 0; i < 100; ++i) send_text(fd, "{\"command\":\"big\"}\n");
  std::this_thread::sleep_for(milliseconds(1500));
  expect_alive();
}

TEST_F(ApiWithServer, ClientsThatVanish) {
  for (int i = 0; i < 200; ++i) {
    const UniqueFd fd = connect_raw();
    send_text(fd, i % 2 == 0 ? "{\"command\":\"big\"}\n" : "{\"comm");
  }
  expect_alive();
}

}  // namespace
}  // namespace sluice::control
