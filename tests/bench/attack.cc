// SPDX-License-Identifier: BSD-3-Clause
// What packets cost that serve nobody: SYNs to ports and addresses without a service, and SYNs of a
// flood on a service that has no entry left.
#include <optional>
#include <random>

#include "tests/bench/cases.h"
#include "tests/bench/connections.h"
#include "tests/bench/figures.h"

namespace sluice::bench {
namespace {

constexpr uint32_t kSyns = 1u << 18;

/// One round of SYNs of random sources to `destination`.
double round(Rig& rig, const FrameTemplate& syn, net::Ipv4Endpoint destination,
             const std::vector<net::Ipv4Endpoint>& sources, bool pipeline) {
  rig.pipeline = pipeline;
  const uint64_t begin = rte_rdtsc();
  send_all(rig, kClientSide, kSyns, [&](uint32_t i, rte_mbuf* buffer) {
    syn.write(buffer, syn.prepare({sources[i], destination}));
  });
  const uint64_t spent = rte_rdtsc() - begin;
  rig.pipeline = true;
  return static_cast<double>(spent) / kSyns;
}

void measure(const Options& options, const char* name, Rig& rig, net::Ipv4Endpoint destination,
             std::optional<net::DropReason> expected) {
  const FrameTemplate syn(kSyn, true, kSynNumbers);
  std::mt19937_64 random(13);
  std::vector<net::Ipv4Endpoint> sources;
  for (uint32_t i = 0; i < kSyns; ++i) sources.push_back(client(random() & 0x3ffffffff));
  const uint64_t before = expected ? rig.drops(*expected) : 0;
  std::vector<double> gross, generator;
  for (uint32_t i = 0; i < options.rounds; ++i) {
    gross.push_back(round(rig, syn, destination, sources, true));
    generator.push_back(round(rig, syn, destination, sources, false));
  }
  if (expected && rig.drops(*expected) - before != uint64_t{options.rounds} * kSyns) {
    Rig::fail("SYNs of an attack were not dropped for the reason expected");
  }
  Figures figures("attack");
  figures.text("kind", name);
  figures.packet(median(gross) - median(generator));
  figures.value("ticks_generator", median(generator));
}

/// A service whose table half-open connections have filled: SYNs are deferred, or evict the oldest.
void flood(const Options& options, const char* name) {
  constexpr uint32_t kFlows = 65536;
  RigOptions rig_options = room_for(2 * kFlows, options.flow_index);
  rig_options.flow_count_max = kFlows;
  Rig rig(rig_options);
  const FrameTemplate syn(kSyn, true, kSynNumbers);
  // Numbers beyond what the flood draws.
  send_all(rig, kClientSide, kFlows, [&](uint32_t i, rte_mbuf* buffer) {
    syn.write(buffer, syn.prepare({client((uint64_t{60000} << 20) + i), kVip}));
  });
  measure(options, name, rig, kVip, std::nullopt);
  if (rig.drops(net::DropReason::flow_table_full) != 0 ||
      rig.drops(net::DropReason::syn_deferred) == 0) {
    Rig::fail("a flood was refused, or not met at all");
  }
}

}  // namespace

void attack(const Options& options) {
  using net::DropReason;
  Rig rig(room_for(1, options.flow_index));
  const net::Ipv4Endpoint no_service{kVip.ip, net::be16::from_host(81)};
  const net::Ipv4Endpoint nobody{net::be32::from_host(0x0a090909), kVip.port};
  measure(options, "SYN to a port without service", rig, no_service, DropReason::no_service);
  measure(options, "SYN to an address not ours", rig, nobody, DropReason::ipv4_not_for_us);
  flood(options, "SYN flood, table full");
}

}  // namespace sluice::bench
