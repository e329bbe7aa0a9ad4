// SPDX-License-Identifier: BSD-3-Clause
// Adopting flows and what ports remember.
#include "dataplane/stage/adopt_flows.h"

#include <algorithm>

#include "dataplane/stage/guard.h"
#include "dataplane/stage/header_numbers.h"
#include "dataplane/stage/idle_limit.h"
#include "dataplane/stage/ownership.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/proxy_fields.h"
#include "dataplane/stage/resets.h"

namespace sluice {
namespace {

using Kind = PriorIncarnation::Kind;
using Place = PortPool::Place;

/// Where a port rests after a flow with this end.
Place place_of(const PriorIncarnation& prior) {
  return prior.kind == Kind::kTimeWait ? Place::kTimeWait : Place::kAvailable;
}

/// What an entry says, checked before anything in it is followed.
bool is_sound(const KeptSource& from, const Flow& flow) {
  if (!flow.live || flow.path >= from.names.size() || !from.names[flow.path].whole) return false;
  const auto state = static_cast<size_t>(flow.state());
  const bool is_udp = from.names[flow.path].pool.protocol == net::Protocol::kUdp;
  return state < kFlowStateCount && flow.is_udp() == is_udp && flow.local_port.raw != 0 &&
         flow.has_v6_client() != from.names[flow.path].vip.ip.is_v4() &&
         !(flow.has_v6_client() && from.clients6.empty()) &&
         !(flow.rewrite_timestamps && from.clock_maps.empty()) &&
         !(flow.has_proxy_header() && from.proxy_tracks.empty()) &&
         !(flow.is_spliced() && from.splices.empty());
}

/// All in a copy of a flow that means something only where it was made.
void make_ours(const KeptSource& from, Flow& flow, KeptSource::Path path) {
  flow.live = false;
  flow.path = path.path;
  flow.key.service = path.service;
  flow.last_seen_ms += from.clock_shift_ms;
  flow.opened_ms += from.clock_shift_ms;
  flow.to_client = {};
  flow.timer = {};
  flow.half_open.unlink();
  flow.closed_listed = false;
  // What was on its way is not any more.
  flow.answer_due = false;
  flow.adjusted = flow.is_adjusted();
  flow.heal_attempts = 0;
  flow.passed = {};
  if (is_opening(flow.state())) flow.syn_slot = SynStore::kNone;
}

class Adoption {
 public:
  Adoption(Core& core, const KeptSource& from) : core_(core), from_(from) {}

  void adopt_flow(size_t index) {
    const Flow& old = from_.flows[index];
    if (!is_sound(from_, old)) return;
    const KeptSource::Path path = from_.paths[old.path];
    if (path.path == kNoPath) return;
    PoolState& pool = *core_.registry.paths[path.path].pool;
    const uint32_t owner = pool.shares->owner_of(old.local_port.host());
    if (owner != core_.worker) return note_elsewhere(index, path, owner);
    if (take(index, path, pool)) from_.taken[index] = 1;
  }

  void adopt_ports(const PortChunk& chunk) {
    if (!chunk.whole) return;
    const PoolName& name = chunk.pool;
    const PoolId id = core_.snapshot->pool_at(name.protocol, name.local, name.backend);
    if (id == kNoPool) return;
    PortPool& ports = core_.registry.pools[id]->ports;
    const bool is_udp = name.protocol == net::Protocol::kUdp;
    for (uint32_t i = 0; i < PortChunk::kPorts; ++i) {
      const uint16_t port = chunk.ports[i];
      if (port == 0 || ports.set().find(port) == PortSet::kNone) continue;
      const auto prior = is_udp ? resting_udp(chunk.uses[i], chunk.records[i])
                                : resting_tcp(chunk.uses[i], chunk.records[i]);
      if (prior) ports.adopt_resting(port, *prior, is_udp ? Place::kTimeWait : place_of(*prior));
    }
  }

 private:
  /// Another worker adopts it, for it has its port; packets of its client may come to us.
  void note_elsewhere(size_t index, KeptSource::Path path, uint32_t owner) {
    if (owner == PortShares::kNobody) return;
    const net::Endpoint client = from_.client(index);
    const net::Endpoint& vip = core_.registry.services[path.service]->vip;
    if (other_owner_of_client(core_, client, vip) != kNotElsewhere) return;
    core_.elsewhere.set({client, path.service}, owner);
  }

  /// Enters a flow; false, and nothing is changed, where it does not fit in.
  bool take(size_t index, KeptSource::Path path, PoolState& pool) {
    const Flow& old = from_.flows[index];
    const FlowName name(from_.client(index), path.service);
    if (core_.flows.find(name) != FlowTable::kNone) return false;
    const bool holds_port = !is_closed(old.state());
    if (holds_port && !old.holds_port) return false;
    const uint32_t ours = core_.flows.allocate();
    if (ours == FlowTable::kNone) return false;
    Flow& flow = core_.flows[ours];
    flow = old;
    make_ours(from_, flow, path);
    core_.flows.set_name(ours, name);
    flow.deltas = net::make_deltas(name.client, core_.vip(flow), core_.local(flow), pool.backend);
    flow.holds_port = holds_port;
    const bool gave_back = !old.holds_port;
    const uint16_t port = old.local_port.host();
    if (!take_tables(ours, index) || !core_.flows.publish(ours) ||
        (holds_port && !pool.ports.adopt_in_use(port, ours))) {
      core_.flows.erase(ours);
      return false;
    }
    if (!holds_port && !gave_back) {
      const PriorIncarnation prior = prior_incarnation(core_, flow);
      pool.ports.adopt_resting(port, prior, place_of(prior));
    }
    enter(ours, pool);
    return true;
  }

  /// How far a PROXY header has come. One of which the backend has a part already cannot be written
  /// again, for its id says which process made it; nor one of another length.
  bool take_header(uint32_t ours, const ProxyTrack& old) {
    using Step = ProxyTrack::Step;
    const Flow& flow = core_.flows[ours];
    ProxyTrack& track = core_.proxy_track(ours);
    track = old;
    track.sent_ms += from_.clock_shift_ms;
    if (old.step > Step::kSent || is_closed(flow.state())) return true;
    const ServiceView* service = core_.snapshot->find_service(flow.key.service);
    if (service == nullptr || service->proxy_form == kNoProxyForm) return false;
    choose_proxy_form(core_, ours, service->proxy_form);
    const bool is_as_long = track.length == old.length;
    const uint16_t form = track.form;
    track = old;
    track.form = form;
    track.sent_ms += from_.clock_shift_ms;
    const uint32_t begin = flow.bounds.client_first - old.length;
    return is_as_long && (old.step != Step::kSent || flow.tcp.backend_expects() == begin);
  }

  /// What lies between the backend's numbers and those that its client hears. Who waits for the
  /// backend yet does so for a copy of his SYN, which is not kept.
  bool take_splice(uint32_t ours, const Splice& old) {
    core_.splice(ours) = old;
    return old.is_open && !is_opening(core_.flows[ours].state());
  }

  /// What stands beside the flow; false where it cannot go on with that.
  bool take_tables(uint32_t ours, size_t index) {
    const Flow& flow = core_.flows[ours];
    if (flow.rewrite_timestamps) core_.clock_map(ours) = from_.clock_maps[index];
    if (flow.has_proxy_header() && !take_header(ours, from_.proxy_tracks[index])) return false;
    return !flow.is_spliced() || take_splice(ours, from_.splices[index]);
  }

  void enter(uint32_t ours, PoolState& pool) {
    Flow& flow = core_.flows[ours];
    BackendState& backend = core_.backend(flow);
    if (flow.holds_port) {
      backend.active.add();
      count_adopted(core_, ours);
    }
    backend.flows.add();
    pool.flows.add();
    core_.counters.flows_in(flow.state()).add();
    core_.count(Event::flows_adopted);
    const FlowState state = flow.state();
    if (is_opening(state) || (flow.is_udp() && state != FlowState::kUdpEstablished)) {
      core_.half_open.push(backend.half_open, ours, true);
    }
    if (is_closed(state)) core_.flows.push_closed(ours);
    const uint32_t limit = idle_limit_ms(core_, flow);
    core_.flow_timers.set(ours, core_.now_ms + limit - std::min(limit, idle_ms(core_, flow)));
    if (flow.has_proxy_header()) hasten_header(core_, ours);
    core_.flows.commit(ours);
  }

  /// What is worth remembering of a port that no flow has adopted.
  std::optional<PriorIncarnation> resting_tcp(const PortUse& use, const PortRecord& record) const {
    const ReuseRules& rules = core_.snapshot->reuse;
    PriorIncarnation prior{record.closed_ms + from_.clock_shift_ms, record.rcv_nxt,
                           record.ts_recent, use.kind, use.timestamps};
    if (use.place == Place::kInUse) {
      // By a flow that was only just beginning or ending: what its backend holds, a heal finds.
      prior.closed_ms = core_.now32();
      if (prior.kind == Kind::kFresh) prior.kind = Kind::kAvailable;
      return prior;
    }
    if (prior.kind == Kind::kFresh) return {};
    const uint32_t rest_ms =
        use.place == Place::kTimeWait ? rules.time_wait_ms : std::max(rules.guard_ms, 1u);
    if (stamp_age_ms(core_.now32(), prior.closed_ms) >= rest_ms) return {};
    return prior;
  }

  /// To which an answer may still come.
  std::optional<PriorIncarnation> resting_udp(const PortUse& use, const PortRecord& record) const {
    PriorIncarnation prior;
    prior.closed_ms = record.closed_ms + from_.clock_shift_ms;
    if (use.place == Place::kInUse) prior.closed_ms = core_.now32();
    const bool may_be_answered = use.place != Place::kAvailable;
    if (!may_be_answered ||
        stamp_age_ms(core_.now32(), prior.closed_ms) >= PortPool::kLateAnswerMs) {
      return {};
    }
    return prior;
  }

  Core& core_;
  const KeptSource& from_;
};

/// Flows that are over still translate late segments of their tuples.
void bind_closed(Core& core) {
  for (uint32_t i = core.flows.oldest_closed(); i != FlowTable::kNone;
       i = core.flows[i].closed_newer) {
    const Flow& flow = core.flows[i];
    PriorIncarnation prior = prior_incarnation(core, flow);
    prior.closed_ms = flow.last_seen_ms;
    PortPool& ports = core.pool(flow).ports;
    ports.adopt_resting(flow.local_port.host(), prior, place_of(prior));  // unless it is known
    ports.adopt_late(flow.local_port.host(), i);
  }
}

}  // namespace

void adopt_kept(Core& core, std::span<const KeptSource> sources) {
  if (sources.empty()) return;
  for (const KeptSource& from : sources) {
    Adoption adoption(core, from);
    for (size_t i = 0; i < from.flows.size(); ++i) {
      if (from.flows[i].live) adoption.adopt_flow(i);
    }
  }
  for (const KeptSource& from : sources) {
    Adoption adoption(core, from);
    for (const PortChunk& chunk : from.chunks) adoption.adopt_ports(chunk);
  }
  bind_closed(core);
  for (const PoolView& pool : core.snapshot->pools) {
    core.registry.pools[pool.id]->ports.end_adoption(core.now32());
  }
}

bool reset_kept(Core& core, const KeptSource& source, size_t index) {
  const Flow& flow = source.flows[index];
  if (source.taken[index] != 0 || !is_sound(source, flow)) return false;
  // Who waits for an answer yet tries again; UDP cannot be told.
  if (flow.is_udp() || is_closed(flow.state()) || flow.state() == FlowState::kSynSent) return false;
  const KeptPath& name = source.names[flow.path];
  const net::Endpoint local{name.pool.local, flow.local_port};
  reset_both(core, flow, {source.client(index), name.vip, local, name.pool.backend});
  core.count(Event::flows_not_adopted);
  return true;
}

}  // namespace sluice
