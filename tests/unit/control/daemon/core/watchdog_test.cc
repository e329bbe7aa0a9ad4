// SPDX-License-Identifier: BSD-3-Clause
// One worker that stands still is enough to end the watchdog's signs of life.
#include "control/daemon/core/watchdog.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

namespace sluice::control {
namespace {

class WorkerWatchTest : public testing::Test {
 protected:
  WorkerWatchTest() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(said)));
  }
  ~WorkerWatchTest() override { spdlog::set_default_logger(before_); }

  std::ostringstream said;
  Watchdog watch;

 private:
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(WorkerWatchTest, EveryWorkerMustMove) {
  EXPECT_TRUE(watch.all_progress({{1, 10}, {2, 5}}));
  EXPECT_TRUE(watch.all_progress({{1, 11}, {2, 6}}));
  EXPECT_EQ(said.str(), "");
  EXPECT_FALSE(watch.all_progress({{1, 12}, {2, 6}}));
  EXPECT_NE(said.str().find("lcore 2 has stopped"), std::string::npos);
  said.str("");
  EXPECT_FALSE(watch.all_progress({{1, 13}, {2, 6}}));
  EXPECT_EQ(said.str(), "") << "said once";
  EXPECT_TRUE(watch.all_progress({{1, 14}, {2, 7}}));
  EXPECT_NE(said.str().find("lcore 2 polls again"), std::string::npos);
}

TEST_F(WorkerWatchTest, AWorkerThatNeverPolledHasNotMoved) {
  EXPECT_FALSE(watch.all_progress({{1, 0}}));
}

}  // namespace
}  // namespace sluice::control
