// SPDX-License-Identifier: BSD-3-Clause
// A file that is read beside the loop, however long that takes.
#include "control/daemon/api/config_loader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace sluice::control {
namespace {

using std::chrono::milliseconds;

LoadedConfig loaded_with(const std::string& text) {
  LoadedConfig loaded;
  loaded.text = text;
  return loaded;
}

TEST(ConfigLoader, TheLoopGoesOnMeanwhile) {
  EventLoop loop;
  std::atomic<bool> go_on = false;
  ConfigLoader loader(loop, [&](const std::string& file) {
    while (!go_on) std::this_thread::sleep_for(milliseconds(1));
    return loaded_with(file);
  });
  int turns = 0;
  loop.every(milliseconds(1), [&] { go_on = ++turns >= 5; });
  std::string read;
  loader.start("one", [&](const LoadedConfig& loaded) { read = loaded.text; });
  EXPECT_TRUE(loader.busy());
  while (loader.busy()) loop.run_once(milliseconds(100));
  EXPECT_EQ(read, "one");
  EXPECT_GE(turns, 5);
}

TEST(ConfigLoader, WhatWasGivenUpIsForNobody) {
  const bool left_behind = ConfigLoader::left_behind();  // by a test before this one
  EventLoop loop;
  ConfigLoader loader(loop, [](const std::string&) -> LoadedConfig {
    std::this_thread::sleep_for(milliseconds(20));
    throw std::runtime_error("no memory");
  });
  loader.start("one", [](const LoadedConfig&) { FAIL(); });
  loader.give_up();
  EXPECT_TRUE(loader.busy());
  while (loader.busy()) loop.run_once(milliseconds(100));
  bool told = false;
  loader.start("two", [&](const LoadedConfig& loaded) {
    told = true;
    EXPECT_FALSE(loaded.ok());
    EXPECT_NE(describe(loaded.problems, "two").find("no memory"), std::string::npos);
  });
  while (loader.busy()) loop.run_once(milliseconds(100));
  EXPECT_TRUE(told);
  EXPECT_EQ(ConfigLoader::left_behind(), left_behind);
}

TEST(ConfigLoader, ALoaderDoesNotWaitForItsThread) {
  EventLoop loop;
  std::atomic<bool> go_on = false;
  std::atomic<bool> ended = false;
  {
    ConfigLoader loader(loop, [&](const std::string& file) {
      while (!go_on) std::this_thread::sleep_for(milliseconds(1));
      ended = true;
      return loaded_with(file);
    });
    loader.start("one", [](const LoadedConfig&) { FAIL(); });
  }
  EXPECT_FALSE(ended);
  EXPECT_TRUE(ConfigLoader::left_behind());
  go_on = true;
  while (!ended) std::this_thread::sleep_for(milliseconds(1));
  loop.run_once(milliseconds(10));
}

}  // namespace
}  // namespace sluice::control
