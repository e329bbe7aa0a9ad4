// SPDX-License-Identifier: BSD-3-Clause
// Opening UDP flows.
#include "dataplane/stage/open_udp.h"

#include <algorithm>

#include "dataplane/stage/admission.h"
#include "dataplane/stage/guard.h"
#include "dataplane/stage/open_flow.h"
#include "dataplane/stage/port_choice.h"
#include "dataplane/stage/proxy_fields.h"
#include "dataplane/state/scheduler.h"

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

// In a flood one port in so many is kept for clients that send again: else the flood would take
// each resting port as soon as it comes back.
constexpr uint32_t kKeptShare = 8;

// One entry in so many is left to TCP.
constexpr uint32_t kTcpShare = 4;

/// A forged source can have a UDP flow established, by a second datagram a while after the first,
/// and no TCP connection: UDP must not get all entries where TCP wants some.
uint32_t udp_flow_count_max(const Core& core) {
  const uint32_t all = core.flows.flow_count_max();
  const bool has_tcp = core.snapshot->services.size() > core.snapshot->udp_services.size();
  return has_tcp ? all - all / kTcpShare : all;
}

uint64_t udp_flow_count(Core& core) {
  uint64_t count = 0;
  for (const FlowState state :
       {FlowState::kUdpUnanswered, FlowState::kUdpAnswered, FlowState::kUdpEstablished}) {
    count += core.counters.flows_in(state).value();
  }
  return count;
}

bool make_udp_room(Core& core, HalfOpenQueue& queue, bool repeated) {
  const bool fits = udp_flow_count(core) < udp_flow_count_max(core);
  return (fits || evict_oldest(core, queue, repeated)) && make_room(core, queue, repeated);
}

/// A port for a new flow. Where there is none, an older flow makes way: its port must rest first,
/// so it serves a later flow.
std::optional<PortChoice> udp_port_for_new(Core& core, const BackendView& backend, bool repeated) {
  HalfOpenQueue& queue = core.registry.backends[backend.id]->half_open;
  const bool keep = !repeated && is_pressed(core, queue);
  auto choice = choose_udp_port(core, backend, keep ? kKeptShare : 0);
  if (!choice) evict_oldest(core, queue, repeated);
  return choice;
}

DropReason without_udp_port(Core& core, const BackendView& backend, const FlowName& name) {
  HalfOpenQueue& queue = core.registry.backends[backend.id]->half_open;
  if (are_many_half_open(queue) || is_pressed(core, queue)) {
    return defer_datagram(core, queue, name);
  }
  for (const PathId id : backend.paths) core.registry.paths[id].pool->ports.count_exhausted();
  return DropReason::ports_exhausted;
}

/// The backend that issued the connection ID of a QUIC packet, or nullptr. One that drains has its
/// connections all the same.
const BackendView* backend_of_quic(const ServiceView& service, const net::Packet& packet) {
  const auto* payload = reinterpret_cast<const uint8_t*>(packet.udp + 1);
  const auto id =
      net::read_quic_server_id({payload, packet.udp_payload_length()}, service.quic.layout);
  if (!id) return nullptr;
  const auto& servers = service.quic.servers;
  const auto at = std::ranges::lower_bound(servers, *id, {}, &QuicView::Server::id);
  return at == servers.end() || at->id != *id ? nullptr : &service.backends[at->backend];
}

const BackendView* choose_backend(Core& core, const ServiceView& service, const net::Packet& packet,
                                  const net::IpAddress& client) {
  if (!service.quic.servers.empty()) {
    if (const BackendView* backend = backend_of_quic(service, packet)) {
      core.count(Event::quic_ids_followed);
      return backend;
    }
  }
  return pick_backend(service, *core.registry.services[service.id], core.registry, client);
}

}  // namespace

Verdict open_udp_flow(Core& core, const ServiceView& service, const Segment& first,
                      uint32_t& index) {
  if (core.snapshot->draining) return DropReason::draining;
  if (const Verdict listed = check_lists(core, service, first); !listed.passed()) return listed;
  const FlowName name{first.source(), service.id};
  const SynSeen seen = look_up_datagram(core, name);
  if (seen == SynSeen::kCopy) return DropReason::udp_deferred;
  const bool repeated = seen == SynSeen::kRepeated;
  if (const Verdict full = check_limits(core, service, first); !full.passed()) return full;
  const BackendView* backend = choose_backend(core, service, first.packet, name.client.ip);
  if (backend == nullptr) return without_backend(service);
  HalfOpenQueue& queue = core.registry.backends[backend->id]->half_open;
  if (!make_way(core, queue, *backend, repeated)) return defer_datagram(core, queue, name);
  if (!make_udp_room(core, queue, repeated)) {
    return is_table_half_open(core) ? defer_datagram(core, queue, name)
                                    : DropReason::flow_table_full;
  }
  const auto choice = udp_port_for_new(core, *backend, repeated);
  if (!choice) return without_udp_port(core, *backend, name);

  index = core.flows.allocate();
  Flow& flow = core.flows[index];
  core.flows.set_name(index, name);
  flow.udp.open({service.udp_one_shot, service.udp_refresh_both});
  set_port(core, index, *choice);
  flow.last_seen_ms = flow.opened_ms = core.now32();
  flow.holds_port = true;
  if (service.proxy_form != kNoProxyForm) choose_proxy_form(core, index, service.proxy_form);
  if (!enter_flow(core, index, false)) return DropReason::flow_table_full;
  return Verdict::pass();
}

}  // namespace sluice
