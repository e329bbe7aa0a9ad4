// SPDX-License-Identifier: BSD-3-Clause
// Reloads under load: how long an iteration of the worker takes at most, without and with snapshots
// of ten thousand backends behind four local addresses that follow each other.
//
// Time is the worker's own (its thread's CPU time), so that others on its core do not count: its
// page faults do, and all that it does itself.
#include <rte_launch.h>
#include <rte_lcore.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <memory>

#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

constexpr double kSeconds = 0.5;  // of a round

RigOptions many_backends(const Options& bench) {
  RigOptions options;
  options.flow_index = bench.flow_index;
  options.flow_count_max = std::max(bench.flows, 1024u);
  options.backends = 10'000;
  options.locals = 4;
  options.ports = {1024, 1087};
  options.neighbour_count_max = 32'768;
  options.pinned = true;
  return options;
}

uint64_t thread_ns() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

/// The worker: open connections, both ways, and the snapshot that is in force.
class Loaded {
 public:
  explicit Loaded(const Options& options)
      : rig_(many_backends(options)),
        inbound_(kData, false, kClientNumbers),
        outbound_(kData, false, kBackendNumbers) {
    std::vector<Tuple> answers;
    answers.reserve(options.flows);
    open_connections(rig_, options.flows, false, answers);
    for (uint32_t i = 0; i < options.flows / Rig::kBurst * Rig::kBurst; ++i) {
      to_backends_.push_back(inbound_.prepare({client(i), kVip}));
      to_clients_.push_back(outbound_.prepare(answers[i]));
    }
  }

  /// Until it is told to stop; keeps the longest iteration.
  void run() {
    longest_ns_ = 0;
    for (size_t at = 0; !stop.load(std::memory_order_acquire);) {
      const uint64_t begin = thread_ns();
      const Snapshot* now = next.load(std::memory_order_acquire);
      if (now != in_force_) rig_.adopt(*now);
      in_force_ = now;
      rig_.run(kClientSide, inbound_, &to_backends_[at]);
      rig_.run(kBackendSide, outbound_, &to_clients_[at]);
      rig_.tick();
      rig_.flush();
      seen.store(now, std::memory_order_release);
      longest_ns_ = std::max(longest_ns_, thread_ns() - begin);
      at = (at + Rig::kBurst) % to_backends_.size();
    }
  }
  double longest_us() const { return static_cast<double>(longest_ns_) / 1000; }
  uint64_t drops() const { return rig_.drops(); }

  std::atomic<const Snapshot*> next = nullptr;
  std::atomic<const Snapshot*> seen = nullptr;  // in a whole iteration
  std::atomic<bool> stop = false;

 private:
  Rig rig_;
  FrameTemplate inbound_;
  FrameTemplate outbound_;
  std::vector<FrameTemplate::Prepared> to_backends_;
  std::vector<FrameTemplate::Prepared> to_clients_;
  const Snapshot* in_force_ = nullptr;
  uint64_t longest_ns_ = 0;
};

int run_loaded(void* self) {
  static_cast<Loaded*>(self)->run();
  return 0;
}

std::unique_ptr<Snapshot> next_snapshot(const Options& options) {
  static uint64_t generation = 0;
  auto snapshot = std::make_unique<Snapshot>(Rig::make_snapshot(many_backends(options)));
  snapshot->network_generation = ++generation;
  return snapshot;
}

/// One round; returns how often there was another snapshot.
uint64_t round(Loaded& worker, std::unique_ptr<Snapshot>& current, const Options& options,
               bool reloads) {
  worker.stop = false;
  rte_eal_remote_launch(run_loaded, &worker, rte_get_next_lcore(rte_get_main_lcore(), 1, 0));
  const uint64_t until =
      rte_rdtsc() + static_cast<uint64_t>(kSeconds * static_cast<double>(rte_get_tsc_hz()));
  uint64_t count = 0;
  while (rte_rdtsc() < until) {
    if (!reloads) continue;
    std::unique_ptr<Snapshot> before = std::exchange(current, next_snapshot(options));
    worker.next.store(current.get(), std::memory_order_release);
    while (worker.seen.load(std::memory_order_acquire) != current.get()) rte_pause();
    ++count;
  }
  worker.stop = true;
  rte_eal_mp_wait_lcore();
  return count;
}

}  // namespace

void reload(const Options& options) {
  if (rte_lcore_count() < 2) Rig::fail("reload takes two lcores: --core 0,1");
  if (options.flows < Rig::kBurst) Rig::fail("reload takes 32 flows at least");
  Loaded worker(options);
  std::unique_ptr<Snapshot> current = next_snapshot(options);
  worker.next = current.get();
  round(worker, current, options, false);  // takes the first one over
  std::vector<double> without, with;
  uint64_t reloads = 0;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    round(worker, current, options, false);
    without.push_back(worker.longest_us());
    reloads += round(worker, current, options, true);
    with.push_back(worker.longest_us());
  }
  Figures figures("reload");
  figures.count("backends", many_backends(options).backends);
  figures.count("locals", many_backends(options).locals);
  figures.count("reloads", reloads);
  figures.value("us_longest_without", median(without));
  figures.value("us_longest_with", median(with));
  figures.value("times", median(with) / median(without));
  figures.count("dropped", worker.drops());
}

}  // namespace sluice::bench
