// SPDX-License-Identifier: BSD-3-Clause
// [guard] and [service.guard]: what arrives, which keys go together, and files of prefixes, whose
// mistakes are told by their own names and lines.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config_text.h"
#include "control/config/config_load.h"

namespace sluice::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConfigGuard : public testing::Test {
 protected:
  ConfigGuard() {
    char pattern[] = "/tmp/sluice-guard-XXXXXX";
    directory_ = mkdtemp(pattern);
    file_ = directory_ + "/deny.txt";
  }
  ~ConfigGuard() override { std::filesystem::remove_all(directory_); }

  static std::string problems(const Text& text) {
    return describe(parse_config(text.str()).problems, "f");
  }
  static Text with_guard(const std::string& keys) {
    return {.more = "[service.guard]\n" + keys + "\n"};
  }
  Text with_file() { return with_guard("deny_file = \"" + file_ + "\""); }
  void write(const std::string& text) { std::ofstream(file_) << text; }

  std::string directory_, file_;
};

std::vector<std::string> texts(const std::vector<IpPrefix>& prefixes) {
  std::vector<std::string> out;
  for (const IpPrefix& prefix : prefixes) out.push_back(to_string(prefix));
  return out;
}

TEST_F(ConfigGuard, ValuesArrive) {
  Text text = with_guard(R"(max_connections = 10
max_new_per_second = 20
client_prefix_v4 = 24
client_prefix_v6 = 48
client_connections = 3
client_new_per_second = 4
backends_full = "wait"
allow = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]
deny = ["10.1.0.0/16"])");
  text.backend += "\nmax_connections = 5";
  text.top = "[guard]\ndeny = [\"198.51.100.0/24\"]\n[limits]\nclients_per_worker = 100\n";
  ASSERT_EQ(problems(text), "");
  const Config config = parse_config(text.str()).config;
  const GuardConfig& guard = config.services.at(0).guard;
  EXPECT_EQ(guard.max_connections, 10u);
  EXPECT_EQ(guard.max_new_per_second, 20u);
  EXPECT_EQ(guard.client_prefix_v4, 24u);
  EXPECT_EQ(guard.client_prefix_v6, 48u);
  EXPECT_EQ(guard.client_connections, 3u);
  EXPECT_EQ(guard.client_new_per_second, 4u);
  EXPECT_EQ(guard.backends_full, BackendsFull::kWait);
  EXPECT_THAT(texts(guard.access.allow),
              ElementsAre("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"));
  EXPECT_THAT(texts(guard.access.deny), ElementsAre("10.1.0.0/16"));
  EXPECT_THAT(texts(config.guard.deny), ElementsAre("198.51.100.0/24"));
  EXPECT_EQ(config.services[0].backends.at(0).max_connections, 5u);
  EXPECT_EQ(config.limits.clients_per_worker, 100u);
}

TEST_F(ConfigGuard, WithoutThemThereIsNoLimit) {
  const Config config = parse_config(Text{}.str()).config;
  EXPECT_EQ(config.services.at(0).guard, GuardConfig{});
  EXPECT_TRUE(config.guard.empty());
  EXPECT_FALSE(config.guard.allows_some());
}

TEST_F(ConfigGuard, MistakesAreNamed) {
  struct Row {
    const char* keys;
    const char* complaint;
  };
  const Row rows[] = {
      {"deny = [\"10.1.2.3/8\"]", "host bits are set: the network is \"10.0.0.0/8\""},
      {"deny = [\"10.1.2\"]",
       "service.guard.deny: got \"10.1.2\" (a string), expected "
       "\"network/length\" or an address"},
      {"deny = []", "an array of 1 to 100000"},
      {"allow_file = \"relative\"",
       "allow_file: got \"relative\" (a string), expected an absolute"},
      {"max_connections = 0", "expected an integer 1..1000000000"},
      {"max_new_per_second = 16000001", "expected an integer 1..16000000"},
      {"client_connections = 1\nclient_prefix_v4 = 33", "expected an integer 1..32"},
      {"client_prefix_v4 = 24", "client_prefix_v4: got a prefix, expected client_connections or"},
      {"backends_full = \"wait\"", "backends_full: got what happens when backends are full"},
      {"backends_full = \"drop\"", "expected \"refuse\" | \"wait\""},
      {"max_conections = 1", "\"max_connections\" (the nearest known key)"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(problems(with_guard(row.keys)), HasSubstr(row.complaint)) << row.keys;
  }
  Text text = with_guard("client_connections = 1");
  text.top = "[limits]\nclients_per_worker = 0\n";
  EXPECT_THAT(problems(text), HasSubstr("none where limits.clients_per_worker is 0"));
}

TEST_F(ConfigGuard, AFileIsRead) {
  write("# who was here before\n\n 10.0.0.0/8\n192.0.2.7\t# a host\r\n2001:db8::/32");
  ASSERT_EQ(problems(with_file()), "");
  const Config config = parse_config(with_file().str()).config;
  const PrefixFile& file = config.services.at(0).guard.access.deny_file;
  ASSERT_TRUE(file.prefixes);
  EXPECT_THAT(texts(*file.prefixes), ElementsAre("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"));
}

TEST_F(ConfigGuard, AFileThatSaysSomethingElseIsAChange) {
  write("10.0.0.0/8\n");
  const Config before = parse_config(with_file().str()).config;
  EXPECT_EQ(parse_config(with_file().str()).config, before);
  write("10.0.0.0/9\n");
  EXPECT_NE(parse_config(with_file().str()).config, before);
}

TEST_F(ConfigGuard, MistakesInAFileAreToldByItsLines) {
  write("10.0.0.0/8\n10.1.2\n\n10.1.2.3/8\n");
  EXPECT_EQ(problems(with_file()),
            file_ + ":2: got \"10.1.2\", expected \"network/length\" or an address\n" + file_ +
                ":4: got \"10.1.2.3/8\", expected \"network/length\" or an address (host bits are "
                "set: the network is \"10.0.0.0/8\")\n");
  std::string many;
  for (int i = 0; i < 100; ++i) many += "x\n";
  write(many);
  EXPECT_THAT(problems(with_file()), HasSubstr("80 more mistakes"));
}

TEST_F(ConfigGuard, AFileThatCannotBeReadIsToldByItsKey) {
  EXPECT_THAT(problems(with_file()), HasSubstr("service.guard.deny_file: got \"" + file_ +
                                               "\" (No such file or directory)"));
  file_ = directory_;
  EXPECT_THAT(problems(with_file()), HasSubstr("(not a regular file)"));
  file_ = "/dev/zero";
  EXPECT_THAT(problems(with_file()), HasSubstr("(not a regular file)"));
}

TEST_F(ConfigGuard, AHundredThousandPrefixesAreReadInAMoment) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += fmt::format("10.{}.{}.0/24\n", i / 256 % 256, i % 256);
  }
  write(text);
  EXPECT_EQ(problems(with_file()), "");
  EXPECT_EQ(
      parse_config(with_file().str()).config.services[0].guard.access.deny_file.prefixes->size(),
      100'000u);
}

}  // namespace
}  // namespace sluice::control
