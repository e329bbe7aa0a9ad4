// SPDX-License-Identifier: BSD-3-Clause
// Choosing a local port.
#include "dataplane/stage/port_choice.h"

#include "dataplane/net/tcp_options.h"
#include "dataplane/stage/seq_adjust.h"

namespace sluice {

SynNumbers syn_numbers(const net::TcpHeader& syn) {
  SynNumbers numbers{syn.sequence.host(), 0, false};
  if (const uint8_t at = net::find_timestamps(syn)) {
    numbers.tsval = net::tcp_word_at(syn, at).host();
    numbers.timestamps = true;
  }
  return numbers;
}

PriorIncarnation prior_incarnation(const Core& core, const Flow& flow) {
  const bool held = flow.tcp.state() != FlowState::kClosed;
  return {core.now32(), flow.tcp.client_snd_nxt(), flow.ts_recent,
          held ? PriorIncarnation::Kind::kTimeWait : PriorIncarnation::Kind::kAvailable,
          flow.timestamps};
}

namespace {

/// The first port that a local address gives, from the one with number `first` on.
template <class Take>
std::optional<PortChoice> ask_all(Core& core, const BackendView& backend, uint32_t first,
                                  Take&& take) {
  const auto count = static_cast<uint32_t>(backend.paths.size());
  for (uint32_t i = 0; i < count; ++i) {
    const PathId id = backend.paths[(first + i) % count];
    if (auto taken = take(*core.registry.paths[id].pool)) return PortChoice{id, *taken};
  }
  return {};
}

}  // namespace

std::optional<PortChoice> choose_port(Core& core, const BackendView& backend, bool rewrite,
                                      const SynNumbers& syn, bool known_first) {
  const ReuseRules& rules = core.snapshot->reuse;
  const uint32_t first = core.registry.backends[backend.id]->next_pool++;
  // Asks every local address in turn before the caller asks for less.
  auto ask = [&](auto&& take) {
    return ask_all(core, backend, first, [&](PoolState& pool) {
      return take(pool.ports, as_sent(core, pool, rewrite, syn));
    });
  };
  auto adjusted = [&](PortPool& ports, const SynNumbers& sent) {
    return ports.take_adjusted(sent, core.random);
  };
  auto adjusted_known = [&](PortPool& ports, const SynNumbers& sent) {
    return ports.holds_known() ? adjusted(ports, sent) : std::nullopt;
  };
  auto unadjusted = [&](PortPool& ports, const SynNumbers& sent) {
    return ports.take_unadjusted(sent, rules, core.now32());
  };
  const bool may_fit = rules.policy == ReusePolicy::kRebase;
  if (known_first && may_fit) {
    if (auto choice = ask(adjusted_known)) return choice;
  }
  if (auto choice = ask(unadjusted)) return choice;
  if (may_fit) {
    if (auto choice = ask(adjusted)) return choice;
  }
  return {};
}

std::optional<PortChoice> choose_udp_port(Core& core, const BackendView& backend, uint32_t kept) {
  const uint32_t first = core.registry.backends[backend.id]->next_pool++;
  return ask_all(core, backend, first, [&](PoolState& pool) {
    return pool.ports.take_random(core.snapshot->reuse.guard_ms, kept, core.now32(), core.random);
  });
}

void set_port(Core& core, uint32_t index, const PortChoice& choice) {
  Flow& flow = core.flows[index];
  flow.path = choice.path;
  PoolState& pool = core.pool(flow);
  flow.local_port = net::be16::from_host(choice.taken.port);
  flow.reuse = choice.taken.reuse;
  flow.deltas = net::make_deltas(core.client(flow), core.vip(flow), core.local(flow), pool.backend);
  pool.ports.bind(choice.taken.port, index);
  pool.flows.add();
}

}  // namespace sluice
