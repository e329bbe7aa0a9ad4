// SPDX-License-Identifier: BSD-3-Clause
// The files of one process as the next one finds them.
#include "control/daemon/core/state_keeper.h"

#include <gtest/gtest.h>

#include <fstream>

#include "control/common/errors.h"
#include "control/config/config_load.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

class Keepers : public testing::Test {
 protected:
  Keepers() {
    char name[] = "/dev/shm/state-keeper-XXXXXX";
    folder_ = mkdtemp(name);
    config_.eal.worker_lcores = {1};
    config_.limits.flows_per_worker = 64;
    config_.limits.port_memory_mb = 16;
    config_.state.directory = folder_;
  }
  ~Keepers() override { fs::remove_all(folder_); }

  size_t folders(const char* ending) const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      count += entry.is_directory() && entry.path().string().ends_with(ending);
    }
    return count;
  }
  fs::path newest() const {
    fs::path found = folder_ / "0";
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (!entry.is_directory() || entry.path().extension() == ".old") continue;
      found = std::max(found, entry.path());
    }
    return found;
  }
  size_t left() {
    StateKeeper keeper(config_, {9, 9});
    const size_t count = keeper.sources(identities_).size();
    keeper.memory(0, -1);
    keeper.adopted();
    keeper.forget_left();
    return count;
  }

  fs::path folder_;
  std::vector<std::unique_ptr<KeptFile>> kept_open_;
  Config config_;
  Steering steering_;
  Registry registry_;
  Identities identities_{{&registry_}, net::Random({1, 2}), steering_};
};

TEST_F(Keepers, FlowsAndTheSecretOfSteeringAreFound) {
  {
    StateKeeper keeper(config_, {1, 2});
    ASSERT_TRUE(keeper.keeps());
    EXPECT_EQ(keeper.steering_secret(), (net::SipKey{1, 2}));
    const KeptMemory memory = keeper.memory(0, -1);
    auto* flows = static_cast<Flow*>(memory.flows->allocate(64 * sizeof(Flow), alignof(Flow)));
    flows[3].opened_ms = 77;
    EXPECT_TRUE(keeper.sources(identities_).empty());
    keeper.adopted();
  }
  StateKeeper keeper(config_, {3, 4});
  EXPECT_EQ(keeper.steering_secret(), (net::SipKey{1, 2}));
  const auto& sources = keeper.sources(identities_);
  ASSERT_EQ(sources.size(), 1u);
  ASSERT_EQ(sources[0].flows.size(), 64u);
  EXPECT_EQ(sources[0].flows[3].opened_ms, 77u);
  EXPECT_TRUE(sources[0].clients6.empty());
  EXPECT_EQ(folders(""), 2u);
  keeper.adopted();
  keeper.forget_left();
  EXPECT_EQ(folders(""), 1u) << "those of before are gone";
}

TEST_F(Keepers, OneSluiceForADirectory) {
  StateKeeper keeper(config_, {1, 2});
  EXPECT_THROW(StateKeeper(config_, {1, 2}), StartError);
}

TEST_F(Keepers, NobodyElseMayRead) {
  StateKeeper keeper(config_, {1, 2});
  keeper.memory(0, -1);
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(folder_ / "1" / "worker-0").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Keepers, WhatIsNotKeptIsClearedAway) {
  {
    StateKeeper keeper(config_, {1, 2});
    keeper.memory(0, -1);
    keeper.adopted();
  }
  config_.state.keep = false;
  StateKeeper keeper(config_, {1, 2});
  EXPECT_FALSE(keeper.keeps());
  EXPECT_EQ(keeper.memory(0, -1).flows, nullptr);
  EXPECT_EQ(keeper.sources(identities_).size(), 1u) << "what was kept goes on";
  keeper.adopted();
  keeper.forget_left();
  EXPECT_EQ(folders(""), 0u);
}

TEST_F(Keepers, FilesOfAnotherVersionAreOfNoUse) {
  {
    StateKeeper keeper(config_, {1, 2});
    keeper.memory(0, -1);
    keeper.adopted();
  }
  std::fstream names(folder_ / "1" / "names", std::ios::in | std::ios::out | std::ios::binary);
  names.seekp(offsetof(KeptMagic, layout));
  names.put(1);
  names.close();
  EXPECT_EQ(left(), 0u);
}

TEST_F(Keepers, TheThirdCrashInAMinuteStartsClean) {
  const auto crash = [&] {
    StateKeeper keeper(config_, {1, 2});
    const size_t found = keeper.sources(identities_).size();
    keeper.memory(0, -1);
    keeper.adopted();
    // As its own signal handler notes it; then nothing ends in order.
    KeptFile names = KeptFile::open(newest() / "names");
    reinterpret_cast<KeptNames*>(names.data())->fatal_signal = 11;
    kept_open_.push_back(std::make_unique<KeptFile>(std::move(names)));
    return found;
  };
  const auto forget_end = [&] {
    reinterpret_cast<KeptNames*>(kept_open_.back()->data())->ended = false;
  };
  EXPECT_EQ(crash(), 0u);
  forget_end();
  EXPECT_EQ(crash(), 1u);
  forget_end();
  EXPECT_EQ(crash(), 1u);
  forget_end();
  EXPECT_EQ(left(), 0u);
  EXPECT_EQ(folders(".old"), 1u) << "to be looked at";
  EXPECT_EQ(left(), 1u) << "and the next one keeps again";
}

}  // namespace
}  // namespace sluice::control
