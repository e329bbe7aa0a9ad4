// SPDX-License-Identifier: BSD-3-Clause
// Weights written into a configuration's text: every other byte stays, and the file is swapped
// whole.
#include "control/config/config_edit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "control/common/atomic_file.h"
#include "control/config/config_load.h"
#include "control/daemon/core/overrides.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

const std::string kHead = R"(# Who may change this: the network team.
[[interface]]
name = "client"   # left
device = "net_null0"
addresses = ["10.1.255.254/16", "10.2.255.254/16"]
[[local_pool]]
addresses = ["10.2.0.1"]
)";

// `text` with the weights of the backends of its first service set.
std::string edited(const std::string& text, const std::vector<uint32_t>& weights) {
  const LoadedConfig loaded = parse_config(text);
  EXPECT_TRUE(loaded.ok()) << describe(loaded.problems, "text");
  Config wanted = loaded.config;
  for (size_t i = 0; i < weights.size(); ++i) wanted.services[0].backends[i].weight = weights[i];
  return edit_weights(text, wanted);
}

struct Case {
  const char* name;
  std::string before;
  std::vector<uint32_t> weights;
  std::string after;
};

const Case kCases[] = {
    {"a weight in its place, whatever stands around it",
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "[[service.backend]] # ä first\n  address = \"10.2.0.10:80\"\t# rack 4\n"
     "  weight   =  0x10   # was 3; weight = 7\n\n# end\n",
     {5},
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "[[service.backend]] # ä first\n  address = \"10.2.0.10:80\"\t# rack 4\n"
     "  weight   =  5   # was 3; weight = 7\n\n# end\n"},
    {"a line of its own where there was none, indented alike",
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "[[service.backend]]\n\taddress = \"10.2.0.10:80\" # rack 4\n"
     "[[service.backend]]\naddress = '10.2.0.11:80'\n",
     {0, 1},
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "[[service.backend]]\n\taddress = \"10.2.0.10:80\" # rack 4\n\tweight = 0\n"
     "[[service.backend]]\naddress = '10.2.0.11:80'\n"},
    {"several at once, keys in any order",
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "[[service.backend]]\nweight = 100\naddress = \"10.2.0.10:80\"\n"
     "[[service.backend]]\naddress = \"10.2.0.11:80\"\n"
     "[[service.backend]]\naddress = \"10.2.0.12:80\"\n\"weight\" = 1_000\n",
     {7, 8, 9},
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "[[service.backend]]\nweight = 7\naddress = \"10.2.0.10:80\"\n"
     "[[service.backend]]\naddress = \"10.2.0.11:80\"\nweight = 8\n"
     "[[service.backend]]\naddress = \"10.2.0.12:80\"\n\"weight\" = 9\n"},
    {"the last line without an end",
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n[[service.backend]]\n"
     "address = \"10.2.0.10:80\"",
     {0},
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n[[service.backend]]\n"
     "address = \"10.2.0.10:80\"\nweight = 0"},
    {"lines that end as on Windows",
     "[[service]]\r\nname = \"w\"\r\nvip = \"10.3.0.1:80\"\r\n[[service.backend]]\r\n"
     "address = \"10.2.0.10:80\"\r\n# end\r\n",
     {0},
     "[[service]]\r\nname = \"w\"\r\nvip = \"10.3.0.1:80\"\r\n[[service.backend]]\r\n"
     "address = \"10.2.0.10:80\"\r\nweight = 0\r\n# end\r\n"},
    {"inline tables",
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "backend = [ { address = \"10.2.0.10:80\" }, # a\n"
     "  {weight=2,address=\"10.2.0.11:80\"} ]\n",
     {3, 4},
     "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n"
     "backend = [ { address = \"10.2.0.10:80\", weight = 3 }, # a\n"
     "  {weight=4,address=\"10.2.0.11:80\"} ]\n"},
};

TEST(ConfigEdit, ChangesWeightsAndNoOtherByte) {
  for (const Case& c : kCases) {
    EXPECT_EQ(edited(kHead + c.before, c.weights), kHead + c.after) << c.name;
  }
}

TEST(ConfigEdit, NothingToChangeIsTheSameText) {
  const std::string text = kHead + kCases[2].before;
  EXPECT_EQ(edited(text, {}), text);
}

TEST(ConfigEdit, TheShippedFilesCanBeEdited) {
  for (const char* name : {"dual-stack.toml", "example.toml", "lab.toml", "minimal.toml"}) {
    const std::string text = read_file(SLUICE_SOURCE_ROOT "/conf/" + std::string(name));
    const std::string after = edited(text, {42});
    EXPECT_EQ(parse_config(after).config.services[0].backends[0].weight, 42u) << name;
    EXPECT_NEAR(static_cast<double>(after.size()), static_cast<double>(text.size()), 14) << name;
  }
}

TEST(ConfigEdit, WhatDoesNotFitIsRefused) {
  const std::string text = kHead + kCases[0].before;
  Config other = parse_config(text).config;
  other.services[0].name = "another";
  EXPECT_THROW(edit_weights(text, other), EditError);
  other = parse_config(text).config;
  other.services[0].backends.push_back(other.services[0].backends[0]);
  EXPECT_THROW(edit_weights(text, other), EditError);
  EXPECT_THROW(edit_weights("nonsense", other), EditError);
  // An address that goes over several lines: there is no place for a weight behind it.
  const std::string odd = kHead +
                          "[[service]]\nname = \"w\"\nvip = \"10.3.0.1:80\"\n[[service.backend]]\n"
                          "address = \"\"\"\\\n  10.2.0.10:80\"\"\"\n";
  ASSERT_TRUE(parse_config(odd).ok());
  Config wanted = parse_config(odd).config;
  wanted.services[0].backends[0].weight = 3;
  try {
    EXPECT_EQ(parse_config(edit_weights(odd, wanted)).config, wanted);
  } catch (const EditError&) {
    // As good: what matters is that no wrong text comes out.
  }
}

class FileSwap : public testing::Test {
 protected:
  FileSwap() {
    char pattern[] = "/tmp/sluice-swap-XXXXXX";
    directory_ = mkdtemp(pattern);
    path_ = directory_ + "/sluice.toml";
    std::ofstream(path_) << "old\n";
  }
  ~FileSwap() override { fs::remove_all(directory_); }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(directory_), {}));
  }

  std::string directory_;
  std::string path_;
};

TEST_F(FileSwap, KeepsModeAndOwner) {
  const uid_t owner = geteuid() == 0 ? 65534 : geteuid();
  ASSERT_EQ(chown(path_.c_str(), owner, static_cast<gid_t>(-1)), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
  swap_file(path_, "new\n");
  struct stat now {};
  ASSERT_EQ(stat(path_.c_str(), &now), 0);
  EXPECT_EQ(now.st_mode & 07777, 0640u);
  EXPECT_EQ(now.st_uid, owner);
  EXPECT_EQ(read_file(path_), "new\n");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileSwap, AnOwnerThatMayNotBeGivenIsNotInTheWay) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to be someone else";
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(chown(directory_.c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(chown(path_.c_str(), 0, kNobody), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0664), 0);
  ASSERT_EQ(setegid(kNobody), 0);
  ASSERT_EQ(seteuid(kNobody), 0);
  EXPECT_NO_THROW(swap_file(path_, "new\n"));
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_EQ(setegid(0), 0);
  struct stat now {};
  ASSERT_EQ(stat(path_.c_str(), &now), 0);
  EXPECT_EQ(now.st_gid, kNobody);
  EXPECT_EQ(now.st_mode & 07777, 0664u);
  EXPECT_EQ(read_file(path_), "new\n");
}

TEST_F(FileSwap, ALinkGoesOnLeadingThere) {
  const std::string link = directory_ + "/link.toml";
  fs::create_symlink("sluice.toml", link);
  swap_file(link, "new\n");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(read_file(path_), "new\n");
}

TEST_F(FileSwap, WhatCannotBeReplacedStays) {
  EXPECT_THROW(swap_file(directory_ + "/absent", "new"), std::exception);
  EXPECT_THROW(swap_file(directory_, "new"), std::system_error);
  EXPECT_EQ(read_file(path_), "old\n");
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace sluice::control
