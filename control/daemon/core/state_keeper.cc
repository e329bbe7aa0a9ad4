// SPDX-License-Identifier: BSD-3-Clause
// Makes, finds and clears away what outlives the process.
#include "control/daemon/core/state_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include "control/common/clock.h"
#include "control/common/errors.h"
#include "control/host/host_files.h"
#include "dataplane/port/tsc_clock.h"

namespace sluice::control {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kCrashLoopMs = 60'000;
constexpr size_t kCrashes = std::tuple_size_v<decltype(KeptNames::crash_ms)>;
constexpr const char* kSetAside = ".old";
constexpr const char* kOver = ".over";

int64_t clock_ahead_ms() {
  return static_cast<int64_t>(TscClock().now_ms()) - boot_ms().count();
}

unsigned long type_of(const fs::path& folder) {
  struct statfs about {};
  return statfs(folder.c_str(), &about) == 0 ? static_cast<unsigned long>(about.f_type) : 0;
}

bool is_memory(const fs::path& folder) {
  const unsigned long type = type_of(folder);
  return type == TMPFS_MAGIC || type == HUGETLBFS_MAGIC || type == RAMFS_MAGIC;
}

// Where a fatal signal is noted, for the next process.
std::atomic<int>* fatal_signal = nullptr;

void note_fatal(int signal) {
  if (fatal_signal != nullptr) fatal_signal->store(signal, std::memory_order_relaxed);
  raise(signal);  // SA_RESETHAND: it ends the process now
}

void watch_for_faults(std::atomic<int>* where) {
  fatal_signal = where;
  struct sigaction action {};
  action.sa_handler = note_fatal;
  action.sa_flags = SA_RESETHAND | SA_NODEFER;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) {
    sigaction(signal, where == nullptr ? nullptr : &action, nullptr);
  }
}

KeptPath kept_path(const PathKey& key) {
  return {{key.backend.service.protocol, key.local, key.backend.address},
          key.backend.service.vip,
          false};
}

bool same(const KeptPath& a, const KeptPath& b) {
  return a.pool == b.pool && a.vip == b.vip;
}

}  // namespace

fs::path state_directory(const Config& config) {
  if (!config.state.directory.empty()) return config.state.directory;
  const fs::path socket = fs::absolute(config.control.socket);
  const fs::path beside = socket.string() + ".state";
  if (is_memory(socket.parent_path()) || !is_memory("/dev/shm")) return beside;
  std::string name = "sluice" + socket.string();
  std::ranges::replace(name, '/', '-');
  return fs::path("/dev/shm") / name;
}

fs::path control_file(const Config& config) {
  const fs::path directory = state_directory(config);
  if (type_of(directory) == HUGETLBFS_MAGIC) return config.control.socket + ".control";
  return directory / "control.json";
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

std::span<const KeptPath> StateKeeper::Left::kept_paths() const {
  return {reinterpret_cast<const KeptPath*>(names->data() + sizeof(KeptNames)), Registry::kPaths};
}

StateKeeper::StateKeeper(const Config& config, const net::SipKey& fresh_secret)
    : config_(config), directory_(state_directory(config)), steering_secret_(fresh_secret) {
  try {
    open_directory();
    find_left();
    if (config.state.keep) make_folder();
  } catch (const StartError&) {
    throw;
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}

StateKeeper::~StateKeeper() {
  if (names_ == nullptr) return;
  watch_for_faults(nullptr);
  header().ended = true;
}

void StateKeeper::give_up(const std::string& why) {
  names_.reset();
  if (!config_.state.keep) return;
  spdlog::error("state.directory: {}: flows will not outlive this process", why);
}

// Somebody else's folder is not written to, or read.
void StateKeeper::open_directory() {
  if (mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    throw std::runtime_error(fmt::format("{}: {}", directory_.string(), std::strerror(errno)));
  }
  struct stat about {};
  if (lstat(directory_.c_str(), &about) != 0 || !S_ISDIR(about.st_mode) ||
      about.st_uid != geteuid()) {
    throw std::runtime_error(directory_.string() + " is not a folder of ours");
  }
  chmod(directory_.c_str(), 0700);
  const fs::path lock = directory_ / "lock";
  lock_ = UniqueFd(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) throw std::runtime_error(lock.string() + ": " + std::strerror(errno));
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw StartError(fmt::format("state.directory: another sluice has {}", directory_.string()));
  }
  if (config_.state.keep && !is_memory(directory_)) {
    spdlog::warn("state.directory: {} is on a disk, which slows flows down: a tmpfs is better",
                 directory_.string());
  }
}

// Newest first.
std::vector<std::pair<uint64_t, fs::path>> StateKeeper::folders() const {
  std::vector<std::pair<uint64_t, fs::path>> found;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename();
    uint64_t number = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
    if (read.ec == std::errc() && *read.ptr == '\0') found.emplace_back(number, entry.path());
  }
  std::ranges::sort(found, std::greater());
  return found;
}

// What counts is the newest process that was ready: whoever ended before it was has changed nothing
// of what it found, and whoever was before it is over.
void StateKeeper::find_left() {
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (entry.path().extension() == kOver) fs::remove_all(entry.path());
  }
  const auto found = folders();
  if (found.empty()) return;
  number_ = found.front().first + 1;
  bool newest = true;
  for (const auto& [number, folder] : found) {
    try {
      auto left = read(folder);
      if (std::exchange(newest, false) && crashes_on(left->header())) return start_clean(found);
      if (left_ == nullptr && left->header().ready) {
        left_ = std::move(left);
        continue;
      }
    } catch (const std::exception& error) {
      spdlog::warn("what a process before has left is of no use: {}", error.what());
    }
    fs::remove_all(folder);
  }
  if (left_ != nullptr) steering_secret_ = left_->header().steering_secret;
}

void StateKeeper::start_clean(const std::vector<std::pair<uint64_t, fs::path>>& found) {
  spdlog::error("crashed {} times in a minute: starting without what was left, which is in {}",
                kCrashes, directory_.string());
  crash_ms_ = {};
  left_.reset();
  for (const auto& entry : fs::directory_iterator(directory_)) {
    if (entry.path().extension() == kSetAside) fs::remove_all(entry.path());
  }
  for (const auto& [number, folder] : found) fs::rename(folder, folder.string() + kSetAside);
  const fs::path control = control_file(config_);
  if (fs::exists(control)) fs::rename(control, control.string() + kSetAside);
}

KeptNames& StateKeeper::header() const {
  return *reinterpret_cast<KeptNames*>(names_->data());
}

std::unique_ptr<StateKeeper::Left> StateKeeper::read(const fs::path& folder) const {
  auto left = std::make_unique<Left>();
  left->folder = folder;
  left->names = std::make_unique<KeptFile>(KeptFile::open(folder / "names"));
  const KeptNames& header = left->header();
  if (!header.magic.is_ours()) throw std::runtime_error(folder.string() + ": another version's");
  if (boot_id() != std::string(header.boot_id, strnlen(header.boot_id, sizeof header.boot_id))) {
    throw std::runtime_error(folder.string() + ": the machine was started anew since");
  }
  for (uint32_t worker = 0; worker < header.worker_count; ++worker) {
    const fs::path file = folder / fmt::format("worker-{}", worker);
    // A start that did not come far has made no more of them.
    if (fs::exists(file)) left->workers.emplace_back(file);
  }
  return left;
}

// Whether processes end by faults again and again. One that was killed is no such thing, unless it
// was before it could do anything.
bool StateKeeper::crashes_on(const KeptNames& last) {
  const int64_t now = boot_ms().count();
  std::vector<int64_t> times;
  for (const int64_t time : last.crash_ms) {
    if (time != 0 && time <= now && now - time <= kCrashLoopMs) times.push_back(time);
  }
  const bool crashed = !last.ended && (last.fatal_signal != 0 || !last.ready);
  if (crashed) times.push_back(now);
  const size_t count = std::min(times.size(), kCrashes);
  std::copy_n(times.end() - static_cast<std::ptrdiff_t>(count), count, crash_ms_.begin());
  return crashed && times.size() >= kCrashes;
}

void StateKeeper::make_folder() {
  folder_ = directory_ / std::to_string(number_);
  if (mkdir(folder_.c_str(), 0700) != 0) {
    throw std::runtime_error(fmt::format("{}: {}", folder_.string(), std::strerror(errno)));
  }
  const size_t bytes = sizeof(KeptNames) + Registry::kPaths * sizeof(KeptPath);
  auto names = std::make_unique<KeptFile>(KeptFile::create(folder_ / "names", bytes));
  names->ensure(0, bytes);
  KeptNames& header = *new (names->data()) KeptNames{};
  const std::string boot = boot_id();
  boot.copy(header.boot_id, sizeof header.boot_id - 1);
  header.worker_count = static_cast<uint32_t>(config_.eal.worker_lcores.size());
  header.steering_secret = steering_secret_;
  header.crash_ms = crash_ms_;
  header.magic.set();
  names_ = std::move(names);
  keep_time();
  watch_for_faults(&header.fatal_signal);
}

KeptMemory StateKeeper::memory(uint32_t worker, int numa_socket) {
  if (names_ == nullptr) return {};
  // Pools may have a chunk each before the limit counts.
  const size_t chunk_bytes =
      (size_t{config_.limits.port_memory_mb} << 20) + Registry::kPools * sizeof(PortChunk);
  try {
    workers_.push_back(std::make_unique<KeptWorker>(
        folder_ / fmt::format("worker-{}", worker),
        KeptWorker::Sizes{config_.limits.flows_per_worker, chunk_bytes, numa_socket}));
    return workers_.back()->memory();
  } catch (const std::bad_alloc&) {
    spdlog::error("state.directory: no room in {} for {} flows: they will not outlive this process",
                  directory_.string(), config_.limits.flows_per_worker);
  } catch (const std::runtime_error& error) {
    give_up(error.what());
  }
  return {};
}

void StateKeeper::note(const Identities& identities) {
  if (names_ == nullptr) return;
  auto* paths = reinterpret_cast<KeptPath*>(names_->data() + sizeof(KeptNames));
  for (const auto& [key, entry] : identities.paths()) {
    KeptPath& path = paths[entry.id];
    const KeptPath now = kept_path(key);
    if (path.whole && same(path, now)) continue;
    path.whole = false;
    store_barrier();
    path.pool = now.pool;
    path.vip = now.vip;
    store_barrier();
    path.whole = true;
  }
}

void StateKeeper::keep_time() {
  if (names_ == nullptr) return;
  header().clock_ahead_ms = clock_ahead_ms();
}

const std::vector<KeptSource>& StateKeeper::sources(const Identities& identities) {
  sources_.clear();
  if (left_ == nullptr) return sources_;
  const std::span<const KeptPath> names = left_->kept_paths();
  left_->paths.assign(names.size(), {});
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].whole) continue;
    const ServiceKey service{names[i].pool.protocol, names[i].vip};
    const auto path =
        identities.paths().find({{service, names[i].pool.backend}, names[i].pool.local});
    if (path == identities.paths().end()) continue;
    left_->paths[i] = {path->second.id, identities.services().at(service).id};
  }
  left_->taken.clear();
  for (const KeptLeft& worker : left_->workers) {
    KeptSource& source = sources_.emplace_back(worker.source());
    source.taken = left_->taken.emplace_back(source.flows.size());
    source.names = names;
    source.paths = left_->paths;
    source.clock_shift_ms =
        static_cast<uint32_t>(clock_ahead_ms() - left_->header().clock_ahead_ms);
  }
  return sources_;
}

// By one step each: whoever starts next finds one of the two to be what counts.
void StateKeeper::adopted() {
  if (names_ != nullptr) header().ready = true;
  if (left_ == nullptr) return;
  const fs::path over = left_->folder.string() + kOver;
  fs::rename(left_->folder, over);
  left_->folder = over;
}

void StateKeeper::forget_left() {
  sources_.clear();
  if (left_ != nullptr) fs::remove_all(left_->folder);
  left_.reset();
}

}  // namespace sluice::control
