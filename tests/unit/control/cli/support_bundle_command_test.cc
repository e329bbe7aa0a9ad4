// SPDX-License-Identifier: BSD-3-Clause
// A support bundle: what is in it, with a sluice that answers and with none.
#include "control/cli/support_bundle_command.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "control/cli/archive.h"
#include "control/common/errors.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kNobody = "/nonexistent/sluice.sock";

std::map<std::string, std::string> by_name(const std::vector<BundleFile>& files) {
  std::map<std::string, std::string> texts;
  for (const BundleFile& file : files) {
    EXPECT_TRUE(texts.emplace(file.name, file.text).second) << file.name << " is there twice";
  }
  return texts;
}

class SupportBundle : public testing::Test {
 protected:
  SupportBundle() {
    char pattern[] = "/tmp/sluice-bundle-XXXXXX";
    directory_ = mkdtemp(pattern);
    file_ = directory_ + "/sluice.toml";
    std::ofstream(file_) << "[control]\nnonsense = \"hunter2\"\n";
  }
  ~SupportBundle() override { std::filesystem::remove_all(directory_); }

  std::string directory_, file_;
};

TEST_F(SupportBundle, HasWhatSluiceSays) {
  const auto answer = [](const json& request) -> json {
    const std::string command = request.at("command");
    if (command == "support") {
      return {{"config", "# in force\n"}, {"log", {"first line", "last line"}}};
    }
    if (request.value("what", "") == "program") {
      return {{"program", {{{"version", "9.8.7"}, {"dpdk", "DPDK 22.11"}}}}};
    }
    return json::object();
  };
  const auto texts = by_name(make_bundle(answer, kNobody, file_));
  EXPECT_EQ(texts.at("configuration-in-force.toml"), "# in force\n");
  EXPECT_EQ(texts.at("log.txt"), "first line\nlast line\n");
  EXPECT_THAT(texts.at("versions.txt"), HasSubstr("sluice 9.8.7\nDPDK 22.11\n"));
  for (const char* name : {"status.json", "status.txt", "doctor.txt", "doctor.json",
                           "show/counters.json", "show/backends.txt", "host/meminfo"}) {
    EXPECT_TRUE(texts.contains(name)) << name;
  }
}

TEST_F(SupportBundle, WithoutSluiceItHasTheRestAndSaysWhy) {
  const auto refuse = [](const json&) -> json { throw ApiError("nobody listens"); };
  const auto texts = by_name(make_bundle(refuse, kNobody, file_));
  EXPECT_EQ(texts.at("status.txt"), "not here: nobody listens\n");
  EXPECT_EQ(texts.at("log.txt"), "not here: nobody listens\n");
  EXPECT_TRUE(texts.contains("doctor.txt"));
}

TEST_F(SupportBundle, MistakesAreNamedByTheirPlacesAlone) {
  const auto refuse = [](const json&) -> json { throw ApiError("nobody listens"); };
  const auto texts = by_name(make_bundle(refuse, kNobody, file_));
  EXPECT_THAT(texts.at("configuration-mistakes.txt"), HasSubstr(file_ + ":2: control.nonsense\n"));
  EXPECT_THAT(texts.at("configuration-mistakes.txt"), Not(HasSubstr("hunter2")));
}

TEST_F(SupportBundle, TheArchiveIsItsOwnersAndCanBeRead) {
  const std::string path = directory_ + "/bundle.tar.gz";
  TextArchive out(path, 1'700'000'000);
  out.add("top/one.txt", "one\n");
  out.add("top/empty.txt", "");
  out.finish();
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_THROW(TextArchive(path, 0), std::system_error) << "a file that is there stays";

  archive* in = archive_read_new();
  archive_read_support_filter_gzip(in);
  archive_read_support_format_tar(in);
  ASSERT_EQ(archive_read_open_filename(in, path.c_str(), 10240), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  ASSERT_EQ(archive_read_next_header(in, &entry), ARCHIVE_OK);
  EXPECT_STREQ(archive_entry_pathname(entry), "top/one.txt");
  EXPECT_EQ(archive_entry_mtime(entry), 1'700'000'000);
  char text[16] = {};
  EXPECT_EQ(archive_read_data(in, text, sizeof text), 4);
  EXPECT_STREQ(text, "one\n");
  ASSERT_EQ(archive_read_next_header(in, &entry), ARCHIVE_OK);
  EXPECT_EQ(archive_read_next_header(in, &entry), ARCHIVE_EOF);
  archive_read_free(in);
}

}  // namespace
}  // namespace sluice::control
