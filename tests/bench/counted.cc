// SPDX-License-Identifier: BSD-3-Clause
// Packets for callgrind: few, always the same ones, each kind in a function of its own that
// scripts/lib/instructions.py has counted. Every function is given kCounted packets (or lives).
#include "tests/bench/cases.h"
#include "tests/bench/connections.h"

namespace sluice::bench {
namespace {

constexpr uint32_t kCounted = 2048;

struct Counted {
  Rig rig;
  std::vector<Tuple> answers;

  FrameTemplate in = from_client(kData, kClientNumbers);
  FrameTemplate out = from_backend(kData, kBackendNumbers);
  FrameTemplate syn = from_client(kSyn, kSynNumbers);

  explicit Counted(const RigOptions& options) : rig(options) {
    answers.reserve(kCounted);
    open_connections(rig, kCounted, true, answers);
  }

  FrameTemplate from_client(uint8_t flags, Numbers numbers) const {
    return {flags, true, numbers, rig.is_v6(kClientSide)};
  }
  FrameTemplate from_backend(uint8_t flags, Numbers numbers) const {
    return {flags, true, numbers, rig.is_v6(kBackendSide)};
  }
};

RigOptions small(const Options& bench) {
  RigOptions options;
  options.flow_index = bench.flow_index;
  options.families = test::families_named(bench.families[0].c_str());
  options.flow_count_max = 4 * kCounted;
  options.syn_count_max = 4 * kCounted;
  return options;
}

}  // namespace

// The names are what callgrind is told to look for.
extern "C" {

[[gnu::noinline]] void counted_inbound(Counted& c) {
  send_all(c.rig, kClientSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    c.in.write(buffer, c.in.prepare({client(i), kVip}));
  });
}

[[gnu::noinline]] void counted_outbound(Counted& c) {
  send_all(c.rig, kBackendSide, kCounted,
           [&](uint32_t i, rte_mbuf* buffer) { c.out.write(buffer, c.out.prepare(c.answers[i])); });
}

[[gnu::noinline]] void counted_handshake(Counted& c) {
  std::vector<Rig::Sent>& sent = c.rig.sent(kBackendSide);
  sent.clear();
  constexpr uint32_t kFirst = 1u << 20;  // clients that have no connection yet
  const FrameTemplate syn_ack = c.from_backend(kSynAck, kSynAckNumbers);
  const FrameTemplate ack = c.from_client(kAck, kClientNumbers);
  c.rig.record(kBackendSide, true);
  send_all(c.rig, kClientSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    c.syn.write(buffer, c.syn.prepare({client(kFirst + i), kVip}));
  });
  c.rig.record(kBackendSide, false);
  if (sent.size() != kCounted) Rig::fail("a SYN was not forwarded");
  send_all(c.rig, kBackendSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    syn_ack.write(buffer, syn_ack.prepare(reversed(sent[i].tuple)));
  });
  send_all(c.rig, kClientSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    ack.write(buffer, ack.prepare({client(kFirst + i), kVip}));
  });
}

[[gnu::noinline]] void counted_close(Counted& c) {
  const FrameTemplate fin_in = c.from_client(kFinAck, kClientNumbers);
  const FrameTemplate fin_out = c.from_backend(kFinAck, {500, 101, 2002, 1001});
  const FrameTemplate last = c.from_client(kAck, {101, 501, 1002, 2002});
  send_all(c.rig, kClientSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    fin_in.write(buffer, fin_in.prepare({client(i), kVip}));
  });
  send_all(c.rig, kBackendSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    fin_out.write(buffer, fin_out.prepare(c.answers[i]));
  });
  send_all(c.rig, kClientSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    last.write(buffer, last.prepare({client(i), kVip}));
  });
}

[[gnu::noinline]] void counted_attack(Counted& c) {
  const net::Ipv4Endpoint nobody{kVip.ip, net::be16::from_host(81)};
  send_all(c.rig, kClientSide, kCounted, [&](uint32_t i, rte_mbuf* buffer) {
    c.syn.write(buffer, c.syn.prepare({client(i), nobody}));
  });
}

}  // extern "C"

void counted(const Options& options) {
  Counted c(small(options));
  const uint64_t drops_before = c.rig.drops();
  counted_inbound(c);
  counted_outbound(c);
  counted_handshake(c);
  const uint64_t closed_before = c.rig.events(Event::flows_closed_available);
  counted_close(c);
  if (c.rig.events(Event::flows_closed_available) - closed_before != kCounted) {
    Rig::fail("a connection was not closed in order");
  }
  if (c.rig.drops() != drops_before) Rig::fail("packets of connections were dropped");
  counted_attack(c);
  std::printf("%u\n", kCounted);
}

}  // namespace sluice::bench
