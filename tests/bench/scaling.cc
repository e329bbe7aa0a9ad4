// SPDX-License-Identifier: BSD-3-Clause
// Two workers on two cores against one: open connections, each worker with its own between its own
// ports of memory, as a device would steer them.
#include <rte_launch.h>
#include <rte_lcore.h>

#include <atomic>
#include <memory>

#include "dataplane/port/steering.h"
#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

/// One worker's connections, and the loop over them.
class Lane {
 public:
  Lane(uint32_t worker, uint32_t workers, const Options& options)
      : rig_(rig_options(worker, workers, options)),
        inbound_(kData, options.timestamps, kClientNumbers),
        outbound_(kData, options.timestamps, kBackendNumbers) {
    std::vector<Tuple> answers;
    answers.reserve(options.flows);
    open_connections(rig_, options.flows, options.timestamps, answers);
    for (uint32_t i = 0; i < options.flows / Rig::kBurst * Rig::kBurst; ++i) {
      const uint32_t flow = static_cast<uint32_t>(uint64_t{i} * 2654435761u % options.flows);
      to_backends_.push_back(inbound_.prepare({client(flow), kVip}));
      to_clients_.push_back(outbound_.prepare(answers[flow]));
    }
  }

  /// Runs until `until`, a value of the TSC; returns packets.
  uint64_t run(uint64_t until) {
    uint64_t packets = 0;
    while (rte_rdtsc() < until) {
      for (size_t at = 0; at < to_backends_.size() && rte_rdtsc() < until; at += Rig::kBurst) {
        rig_.run(kClientSide, inbound_, &to_backends_[at]);
        rig_.run(kBackendSide, outbound_, &to_clients_[at]);
        rig_.flush();
        packets += 2 * Rig::kBurst;
      }
    }
    return packets;
  }
  uint64_t drops() const { return rig_.drops(); }

 private:
  static RigOptions rig_options(uint32_t worker, uint32_t workers, const Options& bench) {
    const uint32_t flows = bench.flows;
    RigOptions options = room_for(flows * workers, bench.flow_index);
    options.flow_count_max = std::max(flows, 1024u);
    options.worker = worker;
    options.workers = workers;
    return options;
  }

  Rig rig_;
  FrameTemplate inbound_;
  FrameTemplate outbound_;
  std::vector<FrameTemplate::Prepared> to_backends_;
  std::vector<FrameTemplate::Prepared> to_clients_;
};

struct Share {
  const Options* options;
  uint32_t worker;
  uint32_t workers;
  std::unique_ptr<Lane> lane;
  uint64_t until = 0;
  uint64_t packets = 0;
};

int open_lane(void* self) {
  auto& share = *static_cast<Share*>(self);
  share.lane = std::make_unique<Lane>(share.worker, share.workers, *share.options);
  return 0;
}

int run_lane(void* self) {
  auto& share = *static_cast<Share*>(self);
  share.packets = share.lane->run(share.until);
  return 0;
}

/// Does the same with each share at once, on the lcore of its number in rising order.
void on_each(std::vector<Share>& shares, int (*what)(void*)) {
  unsigned lcore = rte_get_next_lcore(static_cast<unsigned>(-1), 1, 0);
  for (size_t i = 1; i < shares.size(); ++i, lcore = rte_get_next_lcore(lcore, 1, 0)) {
    if (rte_eal_remote_launch(what, &shares[i], lcore) != 0) Rig::fail("an lcore does not run");
  }
  what(&shares[0]);
  rte_eal_mp_wait_lcore();
}

double packets_a_second(std::vector<Share>& shares) {
  constexpr double kSeconds = 0.5;
  const uint64_t begin = rte_rdtsc() + rte_get_tsc_hz() / 1000;
  for (Share& share : shares) {
    share.until = begin + static_cast<uint64_t>(kSeconds * static_cast<double>(rte_get_tsc_hz()));
  }
  on_each(shares, run_lane);
  uint64_t packets = 0;
  for (const Share& share : shares) packets += share.packets;
  return static_cast<double>(packets) / kSeconds;
}

}  // namespace

void scaling(const Options& options) {
  const uint32_t workers = rte_lcore_count();
  if (workers < 2) Rig::fail("scaling takes two lcores: --core 0,1");
  std::vector<Share> all(workers);
  for (uint32_t i = 0; i < workers; ++i) all[i] = {&options, i, workers, nullptr};
  // One after the other: what the rigs take from EAL has names of a common count.
  for (Share& share : all) open_lane(&share);
  std::vector<double> one, many, ratio;
  for (uint32_t round = 0; round < 2 * options.rounds; ++round) {  // alternating
    std::vector<Share> alone;
    alone.push_back(std::move(all[0]));
    one.push_back(packets_a_second(alone));
    all[0] = std::move(alone[0]);
    many.push_back(packets_a_second(all));
    ratio.push_back(many.back() / one.back());
  }
  uint64_t drops = 0;
  for (const Share& share : all) drops += share.lane->drops();
  Figures figures("scaling");
  figures.count("workers", workers);
  figures.count("flows", options.flows);
  figures.value("mpps_one", median(one) / 1e6);
  figures.value("mpps_all", median(many) / 1e6);
  figures.value("times", median(ratio));
  figures.count("dropped", drops);
}

}  // namespace sluice::bench
