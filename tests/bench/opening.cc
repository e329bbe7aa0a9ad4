// SPDX-License-Identifier: BSD-3-Clause
// New connections: SYNs turned into flows, whole lives, and what expiry costs.
#include <algorithm>
#include <random>
#include <vector>

#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

double per_second(uint64_t count, double ticks) {
  return static_cast<double>(count) * static_cast<double>(rte_get_tsc_hz()) / ticks;
}

double microseconds(uint64_t ticks) {
  return static_cast<double>(ticks) * 1e6 / static_cast<double>(rte_get_tsc_hz());
}

/// Ticks of `count` SYNs of clients that were never seen.
double open_many(Rig& rig, const FrameTemplate& syn, uint64_t first, uint32_t count,
                 bool pipeline) {
  rig.pipeline = pipeline;
  const uint64_t begin = rte_rdtsc();
  send_all(rig, kClientSide, count, [&](uint32_t i, rte_mbuf* buffer) {
    syn.write(buffer, syn.prepare({client(first + i), kVip}));
  });
  const uint64_t spent = rte_rdtsc() - begin;
  rig.pipeline = true;
  return static_cast<double>(spent);
}

struct Expiry {
  uint64_t ticks = 0;           // of all housekeeping until the table was empty
  std::vector<uint64_t> calls;  // ticks of each
};

/// The longest that nothing ran at all, of a core that does nothing else for `ticks`: what a
/// hypervisor, an interrupt or another program takes away.
uint64_t longest_gap(uint64_t ticks) {
  uint64_t longest = 0;
  const uint64_t begin = rte_rdtsc();
  for (uint64_t last = begin, now; last - begin < ticks; last = now) {
    now = rte_rdtsc();
    longest = std::max(longest, now - last);
  }
  return longest;
}

/// Lets every flow run out of time at once: they were opened in the same millisecond.
Expiry expire_all(Rig& rig) {
  constexpr uint64_t kSynSentMs = 60'000;
  Expiry expiry;
  uint64_t now = rig.now_ms();
  for (const uint64_t due = now + kSynSentMs - 1; now < due;) rig.set_time(++now);
  while (rig.flow_count() > 0) {
    const uint64_t begin = rte_rdtsc();
    rig.set_time(++now);
    const uint64_t spent = rte_rdtsc() - begin;
    expiry.ticks += spent;
    expiry.calls.push_back(spent);
  }
  return expiry;
}

}  // namespace

void new_flows(const Options& options) {
  Rig rig(room_for(options.flows, options.flow_index));
  const FrameTemplate syn(kSyn, true, kSynNumbers);
  std::vector<double> gross, generator, expiry_ticks;
  std::vector<uint64_t> held;
  uint64_t gap = 0;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    const uint64_t first = uint64_t{round} * options.flows;
    const uint64_t before = rig.events(Event::flows_opened);
    gross.push_back(open_many(rig, syn, first, options.flows, true));
    generator.push_back(open_many(rig, syn, first, options.flows, false));
    if (rig.events(Event::flows_opened) - before != options.flows) Rig::fail("a SYN made no flow");
    const Expiry expiry = expire_all(rig);
    expiry_ticks.push_back(static_cast<double>(expiry.ticks) / options.flows);
    held.insert(held.end(), expiry.calls.begin(), expiry.calls.end());
    gap = std::max(gap, longest_gap(expiry.ticks));
  }
  const double ticks = median(gross) - median(generator);
  {
    Figures figures("new_flows");
    figures.count("flows", options.flows);
    figures.text("index", name_of(options.flow_index));
    figures.value("per_second", per_second(options.flows, ticks));
    figures.packet(ticks / options.flows);
    figures.value("ticks_generator", median(generator) / options.flows);
  }
  Figures figures("expiry");
  figures.count("flows", options.flows);
  figures.text("index", name_of(options.flow_index));
  figures.value("ticks_per_flow", median(expiry_ticks));
  std::sort(held.begin(), held.end());
  figures.value("us_held_p50", microseconds(held[held.size() / 2]));
  figures.value("us_held_p999", microseconds(held[held.size() - 1 - held.size() / 1000]));
  figures.value("us_held_worst", microseconds(held.back()));
  figures.value("us_gap_idle", microseconds(gap));
}

namespace {

/// Whole lives in batches that go through each step together, so that a batch's flows are as cold
/// at each step as so many connections at a time make them.
class Lives {
 public:
  Lives(const RigOptions& options, uint32_t batch, bool backend_closes)
      : rig_(options), batch_(batch), backend_closes_(backend_closes), lives_(batch) {
    rig_.sent(kBackendSide).reserve(batch);
  }

  /// Ticks of one batch.
  double run(bool pipeline) {
    rig_.pipeline = pipeline;
    rig_.sent(kBackendSide).clear();
    draw();
    uint64_t spent = 0;
    rig_.record(kBackendSide, true);
    spent += step(syn_, kClientSide, 0, 0);
    rig_.record(kBackendSide, false);
    if (rig_.sent(kBackendSide).size() != batch_) rig_.fail_of_drops("a SYN was not forwarded");
    find_shifts();
    spent += step(syn_ack_, kBackendSide, 0, 1);
    spent += step(ack_, kClientSide, 1, 1);
    const uint16_t closer = backend_closes_ ? kBackendSide : kClientSide;
    spent += step(fin_, closer, 1, 1);
    spent += step(fin_, closer ^ 1, 1, 2);
    spent += step(ack_, closer, 2, 2);
    rig_.pipeline = true;
    return static_cast<double>(spent);
  }

  Rig& rig() { return rig_; }

 private:
  struct Life {
    net::Ipv4Endpoint client;
    uint32_t client_isn;
    uint32_t tsval;
    uint32_t backend_isn;
    net::SeqAdjust adjust;
  };

  void draw() {
    for (Life& life : lives_) {
      life = {client(next_client_++),
              static_cast<uint32_t>(random_()),
              static_cast<uint32_t>(random_()),
              static_cast<uint32_t>(random_()),
              {}};
    }
  }

  /// Backends acknowledge the numbers that they saw.
  void find_shifts() {
    if (!rig_.pipeline) return;
    for (uint32_t i = 0; i < batch_; ++i) {
      const Rig::Sent& syn = rig_.sent(kBackendSide)[i];
      lives_[i].adjust = {syn.sequence - lives_[i].client_isn, syn.tsval - lives_[i].tsval};
    }
  }

  /// One segment of each life; `sent` and `received` are what the sender has sent and got, in
  /// sequence numbers.
  uint64_t step(const FrameTemplate& frame, uint16_t side, uint32_t sent, uint32_t received) {
    const std::vector<Rig::Sent>& at_backend = rig_.sent(kBackendSide);
    const uint64_t begin = rte_rdtsc();
    send_all(rig_, side, batch_, [&](uint32_t i, rte_mbuf* buffer) {
      const Life& life = lives_[i];
      if (side == kClientSide) {
        frame.write(buffer, {life.client, kVip},
                    {life.client_isn + sent, received == 0 ? 0 : life.backend_isn + received,
                     life.tsval + sent, received});
      } else {
        frame.write(buffer, reversed(at_backend[i].tuple),
                    {life.backend_isn + sent, life.client_isn + life.adjust.sequence + received,
                     sent, life.tsval + life.adjust.timestamp});
      }
    });
    rig_.tick();
    return rte_rdtsc() - begin;
  }

  Rig rig_;
  uint32_t batch_;
  bool backend_closes_;
  std::vector<Life> lives_;
  uint64_t next_client_ = 0;
  std::mt19937_64 random_{11};
  FrameTemplate syn_{kSyn, true};
  FrameTemplate syn_ack_{kSynAck, true};
  FrameTemplate ack_{kAck, true};
  FrameTemplate fin_{kFinAck, true};
};

}  // namespace

void lives(const Options& options, bool reuse) {
  constexpr uint32_t kBatches = 64;
  RigOptions rig_options = room_for(reuse ? 1 : 4 * options.flows, options.flow_index);
  rig_options.flow_count_max = 4 * options.flows;
  // With the backend closing first and few ports, each new connection needs one held in TIME_WAIT.
  if (reuse) rig_options.ports = {1024, static_cast<uint16_t>(1023 + options.flows)};
  Lives bench(rig_options, options.flows, reuse);
  for (int i = 0; i < 4; ++i) bench.run(true);
  const Rig& rig = bench.rig();
  const uint64_t closed_before =
      rig.events(Event::flows_closed_available) + rig.events(Event::flows_closed_time_wait);
  const uint64_t rebased_before = rig.grants(&PortPool::Counters::reuse_rebased);
  const uint64_t drops_before = rig.drops();
  std::vector<double> gross, generator;
  for (uint32_t i = 0; i < kBatches; ++i) gross.push_back(bench.run(true));
  const uint64_t closed = rig.events(Event::flows_closed_available) +
                          rig.events(Event::flows_closed_time_wait) - closed_before;
  const uint64_t count = uint64_t{kBatches} * options.flows;
  if (closed != count) Rig::fail("a life did not end in order");
  for (uint32_t i = 0; i < kBatches; ++i) generator.push_back(bench.run(false));
  const double ticks = (median(gross) - median(generator)) / options.flows;
  Figures figures(reuse ? "lives_reuse" : "lives");
  figures.count("at_a_time", options.flows);
  figures.value("per_second", per_second(1, ticks));
  figures.value("ticks_per_life", ticks);
  figures.value("ticks_per_packet", ticks / 6);
  figures.value("ticks_generator", median(generator) / options.flows);
  figures.value(
      "rebased_share",
      static_cast<double>(rig.grants(&PortPool::Counters::reuse_rebased) - rebased_before) /
          static_cast<double>(count));
  figures.count("dropped", rig.drops() - drops_before);
}

}  // namespace sluice::bench
