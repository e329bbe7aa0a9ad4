// SPDX-License-Identifier: BSD-3-Clause
// Which worker asks for priority, on machines made of files.
#include "control/host/priority.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

class Priority : public testing::Test {
 protected:
  Priority() : root(fs::temp_directory_path() / ("priority-" + std::to_string(getpid()))) {
    write("sys/devices/system/cpu/isolated", "2-3");
    write("proc/sys/kernel/sched_autogroup_enabled", "0");
    write("proc/self/cgroup", "0::/system.slice/sluice.service");
    eal.main_lcore = 0;
    eal.worker_lcores = {1, 2};
  }
  ~Priority() override { fs::remove_all(root); }

  void write(const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text << '\n';
  }

  fs::path root;
  EalConfig eal;
};

TEST_F(Priority, OnlyOnAnIsolatedCpu) {
  EXPECT_FALSE(favours_worker(eal, 1, root));
  EXPECT_TRUE(favours_worker(eal, 2, root));
}

TEST_F(Priority, NotBesideTheControlThread) {
  eal.main_lcore = 2;
  EXPECT_FALSE(favours_worker(eal, 2, root));
}

TEST_F(Priority, NotWhereCpusAreDealtOutToGroups) {
  write("proc/sys/kernel/sched_autogroup_enabled", "1");
  EXPECT_FALSE(favours_worker(eal, 2, root));
  write("proc/sys/kernel/sched_autogroup_enabled", "0");
  write("sys/fs/cgroup/system.slice/sluice.service/cpu.weight", "100");
  EXPECT_FALSE(favours_worker(eal, 2, root));
}

}  // namespace
}  // namespace sluice::control
