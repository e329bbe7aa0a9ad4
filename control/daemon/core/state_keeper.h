// SPDX-License-Identifier: BSD-3-Clause
// The files that outlive the process, and those that processes before this one have left.
//
//   DIRECTORY/lock          held while a sluice runs
//   DIRECTORY/NUMBER/names, worker-0, worker-1, ...     of one process: see kept_file.h
//   DIRECTORY/NUMBER.over   of one whose flows another has taken over; about to be removed
//   DIRECTORY/NUMBER.old    set aside to be looked at, after crash upon crash
//
// A new process makes files of its own and copies flows into them. Those of before stay as they are
// until it has taken what it can and says that it is ready; if it ends before, the next one begins
// with them again.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "control/common/unique_fd.h"
#include "control/config/config.h"
#include "control/daemon/core/identities.h"
#include "dataplane/port/kept_file.h"

namespace sluice::control {

// Where the configuration has them: state.directory, else beside the control socket where that is
// memory, else in /dev/shm.
std::filesystem::path state_directory(const Config& config);

// Where what control knows is kept (control_keeper.h): there, or beside the socket where that is a
// file system that cannot be written to.
std::filesystem::path control_file(const Config& config);

// The kernel's name for the time since the machine was started.
std::string boot_id();

class StateKeeper {
 public:
  // Throws StartError where another sluice has the directory. Where no files can be made, the log
  // says so, and nothing is kept. `fresh_secret` is what steering has where nothing was left.
  StateKeeper(const Config& config, const net::SipKey& fresh_secret);
  ~StateKeeper();
  StateKeeper(const StateKeeper&) = delete;
  StateKeeper& operator=(const StateKeeper&) = delete;

  // Whether what is known now outlives the process.
  bool keeps() const { return names_ != nullptr; }
  // For a worker that is about to be made; all null where nothing is kept.
  KeptMemory memory(uint32_t worker, int numa_socket);
  const net::SipKey& steering_secret() const { return steering_secret_; }

  // Before workers see a snapshot with these identities.
  void note(const Identities& identities);
  // Once a second: what the workers' clock says.
  void keep_time();

  // What was left, in terms of these identities. Valid until forget_left().
  const std::vector<KeptSource>& sources(const Identities& identities);
  // The workers have taken what they can, and no packet yet: from here on ours is what counts.
  void adopted();
  // Nobody needs what was left any more.
  void forget_left();

 private:
  struct Left {
    std::filesystem::path folder;
    std::unique_ptr<KeptFile> names;
    std::vector<KeptLeft> workers;
    std::vector<KeptSource::Path> paths;
    std::vector<std::vector<uint8_t>> taken;  // by worker and flow

    const KeptNames& header() const { return *reinterpret_cast<const KeptNames*>(names->data()); }
    std::span<const KeptPath> kept_paths() const;
  };

  void open_directory();
  std::vector<std::pair<uint64_t, std::filesystem::path>> folders() const;
  void find_left();
  std::unique_ptr<Left> read(const std::filesystem::path& folder) const;
  bool crashes_on(const KeptNames& last);
  void start_clean(const std::vector<std::pair<uint64_t, std::filesystem::path>>& found);
  void make_folder();
  KeptNames& header() const;
  void give_up(const std::string& why);

  const Config& config_;
  std::filesystem::path directory_;
  UniqueFd lock_;
  uint64_t number_ = 1;
  std::filesystem::path folder_;  // of this process
  net::SipKey steering_secret_;
  std::unique_ptr<KeptFile> names_;
  std::vector<std::unique_ptr<KeptWorker>> workers_;
  std::unique_ptr<Left> left_;
  decltype(KeptNames::crash_ms) crash_ms_{};
  std::vector<KeptSource> sources_;
};

}  // namespace sluice::control
