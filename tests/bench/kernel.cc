// SPDX-License-Identifier: BSD-3-Clause
// What a way to the kernel costs a worker: while nobody uses it, and for each packet that takes it.
// The other ends of the rings, the control thread's, are not in the figures.
#include "dataplane/port/kernel_rings.h"

#include "tests/bench/established.h"

namespace sluice::bench {
namespace {

constexpr uint32_t kPackets = 1u << 16;

void packets_of_connections(const Options& options) {
  struct Kind {
    const char* name;
    bool kernel;
  };
  constexpr Kind kKinds[] = {{"of a connection, no way to the kernel", false},
                             {"of a connection, beside a quiet one", true}};
  std::vector<std::unique_ptr<Established>> benches;
  for (const Kind& kind : kKinds) {
    RigOptions rig = room_for(options.flows, options.flow_index);
    rig.kernel = kind.kernel;
    benches.push_back(std::make_unique<Established>(options, rig));
  }
  Cost costs[std::size(kKinds)];
  for (uint32_t round = 0; round < 4 * options.rounds; ++round) {
    for (size_t k = 0; k < benches.size(); ++k) {
      costs[k].gross.push_back(benches[k]->round(Established::Way::kBoth, true));
      costs[k].generator.push_back(benches[k]->round(Established::Way::kBoth, false));
    }
  }
  for (size_t k = 0; k < benches.size(); ++k) {
    Figures figures("kernel");
    figures.text("kind", kKinds[k].name);
    figures.packet(costs[k].net());
  }
}

void free_all(KernelRings& door) {
  rte_mbuf* packets[Rig::kBurst];
  while (const unsigned count = door.collect(packets, Rig::kBurst)) {
    rte_pktmbuf_free_bulk(packets, count);
  }
}

/// Ticks a packet of SYNs to the interface's own address; without the pipeline of their writing.
double to_kernel(Rig& rig, bool pipeline) {
  const FrameTemplate syn(kSyn, false, kSynNumbers);
  const net::Ipv4Endpoint ssh{net::be32::from_host(0x0a01fffe), net::be16::from_host(22)};
  uint64_t spent = 0;
  for (uint32_t at = 0; at < kPackets; at += Rig::kBurst) {
    const uint64_t begin = rte_rdtsc();
    rte_mbuf** buffers = rig.take(Rig::kBurst);
    for (uint32_t i = 0; i < Rig::kBurst; ++i) {
      syn.write(buffers[i], syn.prepare({client(at + i), ssh}));
    }
    if (pipeline) {
      rig.run(kClientSide, Rig::kBurst);
      rig.flush();
    }
    spent += rte_rdtsc() - begin;
    if (pipeline) {
      free_all(rig.door(kClientSide));
    } else {
      rte_pktmbuf_free_bulk(buffers, Rig::kBurst);
    }
  }
  return static_cast<double>(spent) / kPackets;
}

/// Ticks a packet that the kernel sends; without the pipeline of giving its buffer back.
double from_kernel(Rig& rig, bool pipeline) {
  const FrameTemplate ack(kAck, false, kClientNumbers);
  uint64_t spent = 0;
  for (uint32_t at = 0; at < kPackets; at += Rig::kBurst) {
    rte_mbuf** buffers = rig.take(Rig::kBurst);
    for (uint32_t i = 0; i < Rig::kBurst; ++i) {
      ack.write(buffers[i], ack.prepare({kVip, client(at + i)}));
    }
    if (pipeline && rig.door(kClientSide).post(buffers, Rig::kBurst) != Rig::kBurst) {
      Rig::fail("the kernel's ring is full");
    }
    const uint64_t begin = rte_rdtsc();
    if (pipeline) {
      rig.flush();
    } else {
      rte_pktmbuf_free_bulk(buffers, Rig::kBurst);
    }
    spent += rte_rdtsc() - begin;
  }
  return static_cast<double>(spent) / kPackets;
}

template <typename Round>
void measure(const Options& options, const char* kind, Event event, Round&& round) {
  RigOptions rig_options = room_for(1, options.flow_index);
  rig_options.kernel = true;
  Rig rig(rig_options);
  Cost cost;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    cost.gross.push_back(round(rig, true));
    cost.generator.push_back(round(rig, false));
  }
  if (rig.events(event) != uint64_t{options.rounds} * kPackets) {
    rig.fail_of_drops("packets did not take the way to the kernel");
  }
  Figures figures("kernel");
  figures.text("kind", kind);
  figures.packet(cost.net());
}

}  // namespace

void kernel(const Options& options) {
  packets_of_connections(options);
  measure(options, "to the kernel", Event::packets_to_kernel, to_kernel);
  measure(options, "from the kernel", Event::packets_from_kernel, from_kernel);
}

}  // namespace sluice::bench
