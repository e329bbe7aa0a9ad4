// SPDX-License-Identifier: BSD-3-Clause
// UDP: datagrams of flows that stand, and one-shot flows from query to answer.
#include <algorithm>
#include <vector>

#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/datagrams.h"
#include "tests/bench/draw.h"
#include "tests/bench/established.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

RigOptions udp_room(const Options& options) {
  RigOptions room = room_for(options.flows, options.flow_index);
  room.protocol = net::Protocol::kUdp;
  return room;
}

/// Sends `count` datagrams of clients from `first` on; their tuples towards backends are in
/// rig.sent(kBackendSide) then.
void ask(Rig& rig, const DatagramTemplate& datagram, uint64_t first, uint32_t count) {
  rig.sent(kBackendSide).clear();
  rig.record(kBackendSide, true);
  send_all(rig, kClientSide, count, [&](uint32_t i, rte_mbuf* buffer) {
    datagram.write(buffer, datagram.prepare({client(first + i), kVip}));
  });
  rig.record(kBackendSide, false);
}

void answer(Rig& rig, const DatagramTemplate& datagram) {
  const std::vector<Rig::Sent>& asked = rig.sent(kBackendSide);
  send_all(rig, kBackendSide, static_cast<uint32_t>(asked.size()),
           [&](uint32_t i, rte_mbuf* buffer) {
             datagram.write(buffer, datagram.prepare(reversed(asked[i].tuple)));
           });
}

/// Flows with two exchanges, and datagrams of them both ways.
class Flows {
 public:
  explicit Flows(const Options& options) : rig_(udp_room(options)) {
    constexpr uint32_t kStep = 4096;
    std::vector<Tuple> answers;
    for (uint32_t base = 0; base < options.flows; base += kStep) {
      const uint32_t step = std::min(kStep, options.flows - base);
      for (int exchange = 0; exchange < 2; ++exchange) {
        ask(rig_, datagram_, base, step);
        if (rig_.sent(kBackendSide).size() != step) rig_.fail_of_drops("a query was not forwarded");
        answer(rig_, datagram_);
      }
      for (const Rig::Sent& sent : rig_.sent(kBackendSide)) answers.push_back(reversed(sent.tuple));
      rig_.tick();
    }
    if (rig_.events(Event::flows_established) != options.flows) Rig::fail("a flow is not open");
    Draw draw(options.flows, options.zipf);
    // As many as Established has.
    picks_ = std::clamp(options.flows, 1u << 16, 1u << 22) / Rig::kBurst * Rig::kBurst;
    for (uint32_t i = 0; i < picks_; ++i) {
      in_.push_back(datagram_.prepare({client(draw()), kVip}));
      out_.push_back(datagram_.prepare(answers[draw()]));
    }
  }

  [[gnu::noinline]] double round(bool pipeline) {
    rig_.pipeline = pipeline;
    const uint64_t begin = rte_rdtsc();
    for (uint32_t at = 0; at < picks_; at += Rig::kBurst) {
      rig_.run(kClientSide, datagram_, &in_[at]);
      rig_.run(kBackendSide, datagram_, &out_[at]);
      rig_.flush();
    }
    const uint64_t spent = rte_rdtsc() - begin;
    rig_.pipeline = true;
    return static_cast<double>(spent) / (2.0 * picks_);
  }
  Rig& rig() { return rig_; }

 private:
  uint32_t picks_ = 0;
  Rig rig_;
  DatagramTemplate datagram_;
  std::vector<DatagramTemplate::Prepared> in_, out_;
};

}  // namespace

void udp(const Options& options) {
  Flows flows(options);
  flows.round(true);  // warms up
  Cost cost;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    cost.gross.push_back(flows.round(true));
    cost.generator.push_back(flows.round(false));
  }
  Figures figures("udp");
  figures.count("flows", options.flows);
  figures.text("index", name_of(options.flow_index));
  figures.packet(cost.net());
  figures.value("ticks_generator", median(cost.generator));
  figures.count("dropped", flows.rig().drops());
}

void udp_one_shot(const Options& options) {
  constexpr uint32_t kQueriesPerRound = 1u << 18;
  RigOptions room = udp_room(options);
  room.udp_one_shot = true;
  room.backends = 16;  // ports rest 0.1 s
  Rig rig(room);
  const DatagramTemplate datagram;
  uint64_t next = 0;
  const auto round = [&](bool pipeline) {
    rig.pipeline = pipeline;
    const uint64_t begin = rte_rdtsc();
    for (uint32_t done = 0; done < kQueriesPerRound; done += options.flows) {
      ask(rig, datagram, next, options.flows);
      answer(rig, datagram);
      next += options.flows;
      rig.tick();
    }
    const double queries = (kQueriesPerRound + options.flows - 1) / options.flows * options.flows;
    const double ticks = static_cast<double>(rte_rdtsc() - begin) / queries;
    rig.pipeline = true;
    return ticks;
  };
  rig.sent(kBackendSide).reserve(options.flows);
  round(true);
  const uint64_t drops_before = rig.drops();
  Cost cost;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    cost.gross.push_back(round(true));
    cost.generator.push_back(round(false));
  }
  if (rig.flow_count() != 0) Rig::fail("a flow outlives its answer");
  Figures figures("udp_one_shot");
  figures.count("at_a_time", options.flows);
  figures.text("index", name_of(options.flow_index));
  figures.value("per_second", static_cast<double>(rte_get_tsc_hz()) / cost.net());
  figures.value("ticks_per_query", cost.net());
  figures.value("ticks_generator", median(cost.generator));
  figures.count("dropped", rig.drops() - drops_before);
}

}  // namespace sluice::bench
