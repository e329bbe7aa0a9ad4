// SPDX-License-Identifier: BSD-3-Clause
// sluicectl save: what a sluice asks for reaches the file as weights, and nothing else does.
#include "control/cli/save_command.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "control/cli/api_client.h"
#include "control/common/atomic_file.h"

namespace sluice::control {
namespace {

using nlohmann::json;

class CtlSave : public testing::Test {
 protected:
  CtlSave() {
    char pattern[] = "/tmp/sluice-save-XXXXXX";
    directory_ = mkdtemp(pattern);
    file_ = directory_ + "/sluice.toml";
    std::ofstream(file_) << kText;
    plan_ = {{"file", file_},
             {"text", kText},
             {"weights", {{{"vip", "10.3.0.1:80"}, {"backend", "10.2.0.10:80"}, {"weight", 7}}}}};
  }
  ~CtlSave() override { std::filesystem::remove_all(directory_); }

  json save() {
    return save_overrides([this](const json& request) -> json {
      commands_.push_back(request.at("command"));
      if (commands_.back() == "save_begin") return plan_;
      return {{"message", "saved"}};
    });
  }
  std::string refusal() {
    try {
      save();
      return "";
    } catch (const ApiError& error) {
      return error.what();
    }
  }

  static constexpr const char* kText = R"([[interface]]
name = "client"
device = "net_null0"
addresses = ["10.1.255.254/16", "10.2.255.254/16"]
[[local_pool]]
addresses = ["10.2.0.1"]
[[service]]
name = "web"
vip = "10.3.0.1:80"
[[service.backend]]
address = "10.2.0.10:80"  # the old one
)";
  std::string directory_, file_;
  json plan_;
  std::vector<std::string> commands_;
};

TEST_F(CtlSave, WeightsGoIntoTheFile) {
  EXPECT_EQ(save()["message"], "saved");
  EXPECT_EQ(commands_, (std::vector<std::string>{"save_begin", "save_end"}));
  EXPECT_EQ(read_file(file_), std::string(kText) + "weight = 7\n");
}

// A VIP may be a TCP and a UDP service's, with the same backends.
TEST_F(CtlSave, WeightsGoToTheServiceOfTheirProtocol) {
  const std::string udp = R"([[service]]
name = "web-udp"
vip = "10.3.0.1:80"
protocol = "udp"
[[service.backend]]
address = "10.2.0.10:80"
)";
  std::ofstream(file_, std::ios::app) << udp;
  plan_["text"] = kText + udp;
  plan_["weights"][0]["protocol"] = "udp";
  save();
  EXPECT_EQ(read_file(file_), kText + udp + "weight = 7\n");
  plan_["text"] = kText + udp + "weight = 7\n";
  plan_["weights"][0] = {
      {"protocol", "tcp"}, {"vip", "10.3.0.1:80"}, {"backend", "10.2.0.10:80"}, {"weight", 3}};
  save();
  EXPECT_EQ(read_file(file_), std::string(kText) + "weight = 3\n" + udp + "weight = 7\n");
}

TEST_F(CtlSave, NothingToSaveTouchesNothing) {
  plan_ = {{"message", "there is no override to save"}};
  EXPECT_EQ(save(), plan_);
  EXPECT_EQ(commands_.size(), 1u);
}

TEST_F(CtlSave, AFileThatSomebodyEditsStays) {
  std::ofstream(file_, std::ios::app) << "# mine\n";
  EXPECT_NE(refusal().find("has changed since it was read"), std::string::npos);
  EXPECT_EQ(read_file(file_), std::string(kText) + "# mine\n");
}

// The service is less than its operator: what it says must not become any other file's content.
TEST_F(CtlSave, NoOtherFileIsWritten) {
  const std::string other = directory_ + "/passwd";
  std::ofstream(other) << "root:x:0:0\n";
  plan_["file"] = other;
  EXPECT_NE(refusal(), "");
  plan_["text"] = "root:x:0:0\n";
  EXPECT_NE(refusal(), "");
  EXPECT_EQ(read_file(other), "root:x:0:0\n");
  plan_["file"] = 7;
  EXPECT_NE(refusal(), "");
  plan_["file"] = "/dev/zero";
  EXPECT_NE(refusal(), "");
  EXPECT_EQ(read_file(file_), kText);
}

}  // namespace
}  // namespace sluice::control
