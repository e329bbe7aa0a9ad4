// SPDX-License-Identifier: BSD-3-Clause
// Lines that are cut off cost no other line.
#include "control/common/line_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sluice::control {
namespace {

class LineFileTest : public testing::Test {
 protected:
  LineFileTest() {
    char pattern[] = "/tmp/sluice-lines-XXXXXX";
    directory_ = mkdtemp(pattern);
    path_ = directory_ + "/flows.log";
  }
  ~LineFileTest() override { std::filesystem::remove_all(directory_); }

  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }
  static void append(LineFile& file, std::string lines) {
    file.append(lines);
    EXPECT_EQ(lines, "");
  }

  std::string directory_, path_;
};

// A disk of so many bytes.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(LineFileTest, AHalfLineAfterAFullDiskIsEndedBeforeTheNext) {
  LineFile file(path_);
  append(file, "one\n");
  {
    const FullDisk full(6);
    append(file, "two\n");
    append(file, "three\n");
  }
  EXPECT_EQ(text(), "one\ntw");
  append(file, "four\n");
  append(file, "five\n");
  EXPECT_EQ(text(), "one\ntw\nfour\nfive\n");
}

TEST_F(LineFileTest, AFullDiskAtALinesEndCostsNoEmptyLine) {
  LineFile file(path_);
  {
    const FullDisk full(4);
    append(file, "one\ntwo\n");
  }
  append(file, "three\n");
  EXPECT_EQ(text(), "one\nthree\n");
}

TEST_F(LineFileTest, WhoOpensTheFileLaterEndsItToo) {
  {
    LineFile file(path_);
    const FullDisk full(2);
    append(file, "one\n");
  }
  LineFile next(path_);
  append(next, "two\n");
  EXPECT_EQ(text(), "on\ntwo\n");
  LineFile whole(path_);
  append(whole, "three\n");
  EXPECT_EQ(text(), "on\ntwo\nthree\n");
}

TEST_F(LineFileTest, APipeThatIsFullLeavesTheRest) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  LineFile file(path_);
  std::string lines(200'000, 'x');
  file.append(lines);
  EXPECT_GT(lines.size(), 0u);
  EXPECT_LT(lines.size(), 200'000u);
}

TEST_F(LineFileTest, APipesHalfLineIsEndedByTheSuccessor) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(open(path_.c_str(), O_RDONLY | O_NONBLOCK));
  LineFile before(path_), next(path_);
  std::string half = "ha";
  before.append(half);
  next.succeed(before);
  append(next, "two\n");
  char got[16] = {};
  EXPECT_EQ(read(reader.get(), got, sizeof got), 7);
  EXPECT_STREQ(got, "ha\ntwo\n");
}

TEST_F(LineFileTest, NoFileTakesAllAndABadNameIsSaid) {
  LineFile none;
  append(none, "one\n");
  EXPECT_THROW(LineFile(directory_ + "/no/such/folder"), std::system_error);
}

}  // namespace
}  // namespace sluice::control
