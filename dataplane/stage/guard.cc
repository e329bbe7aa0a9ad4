// SPDX-License-Identifier: BSD-3-Clause
// Lists, limits and counts.
#include "dataplane/stage/guard.h"

#include <algorithm>

namespace sluice {

using net::DropReason;
using net::Verdict;

namespace {

Verdict look_up(const AccessList* list, const net::IpAddress& source) {
  if (list == nullptr) return Verdict::pass();
  switch (list->look_up(source)) {
    case Access::kGranted:
      break;
    case Access::kDenied:
      return DropReason::source_denied;
    case Access::kNotAllowed:
      return DropReason::source_not_allowed;
  }
  return Verdict::pass();
}

ClientKey client_key(const GuardView& guard, ServiceId service, const AddressKey& ip) {
  return make_client_key(ip, guard.client_bits_v4, guard.client_bits_v6, service);
}

/// Over all workers.
template <class Count>
uint64_t sum(const Core& core, Count&& count) {
  uint64_t total = count(core);
  for (const Core* peer : core.peers) total += count(*peer);
  return total;
}

Verdict check_service(const Core& core, const ServiceView& service) {
  const GuardView& guard = service.guard;
  const auto state = [&service](const Core& of) -> const ServiceState& {
    return *of.registry.services[service.id];
  };
  if (guard.max_connections != 0 && sum(core, [&](const Core& of) {
                                      return state(of).active.value();
                                    }) >= guard.max_connections) {
    return DropReason::service_full;
  }
  if (guard.max_new_per_second != 0 && sum(core, [&](const Core& of) {
                                         return state(of).opened.in_last_second(core.now_ms);
                                       }) >= guard.max_new_per_second) {
    return DropReason::service_rate;
  }
  return Verdict::pass();
}

Verdict check_client(const Core& core, const ServiceView& service, const AddressKey& ip) {
  const GuardView& guard = service.guard;
  const ClientKey key = client_key(guard, service.id, ip);
  uint64_t active = 0, opened = 0;
  const auto add = [&](const Core& of) {
    const ClientTable::Client* client = of.clients.find(key);
    if (client == nullptr) return;
    active += client->active.value();
    opened += client->opened.in_last_second(core.now_ms);
  };
  add(core);
  for (const Core* peer : core.peers) add(*peer);
  if (guard.client_connections != 0 && active >= guard.client_connections) {
    return DropReason::client_full;
  }
  if (guard.client_new_per_second != 0 && opened >= guard.client_new_per_second) {
    return DropReason::client_rate;
  }
  return Verdict::pass();
}

}  // namespace

Verdict check_lists(Core& core, const ServiceView& service, const Segment& first) {
  const net::IpAddress source = first.packet.source_ip();
  if (const Verdict verdict = look_up(core.snapshot->access.get(), source); !verdict.passed()) {
    return verdict;
  }
  return look_up(service.guard.access.get(), source);
}

Verdict check_limits(Core& core, const ServiceView& service, const Segment& first) {
  if (service.guard.limits_service()) {
    if (const Verdict verdict = check_service(core, service); !verdict.passed()) return verdict;
  }
  if (!service.guard.limits_clients()) return Verdict::pass();
  return check_client(core, service, address_key(first.packet.source_ip()));
}

DropReason without_backend(const ServiceView& service) {
  const bool any = std::ranges::any_of(
      service.backends, [](const BackendView& backend) { return backend.weight > 0; });
  return any ? DropReason::backends_full : DropReason::no_backend;
}

bool is_silent(const ServiceView& service, DropReason reason) {
  if (reason == DropReason::backends_full) return service.guard.waits_for_backends;
  return reason == DropReason::source_denied || reason == DropReason::source_not_allowed;
}

void note_refused_source(Core& core, const Segment& first, DropReason reason) {
  const auto which = static_cast<size_t>(reason) - static_cast<size_t>(net::kFirstGuardReason);
  if (which >= net::kGuardReasonCount) return;
  core.refused_sources[which].note(address_key(first.packet.source_ip()), core.now32());
}

void count_opened(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  ServiceState& state = core.service(flow);
  state.active.add();
  const ServiceView* service = core.snapshot->find_service(flow.key.service);
  if (service == nullptr) return;
  if (service->guard.max_new_per_second != 0) state.opened.add(core.now_ms);
  if (!service->guard.limits_clients()) return;
  const ClientKey key = client_key(service->guard, service->id, address_key(core.client(flow).ip));
  if (!core.clients.flow_opened(index, key, core.now_ms)) core.count(Event::clients_not_counted);
}

void count_adopted(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  core.service(flow).active.add();
  if (!is_opening(flow.state())) count_established(core, index);
}

void count_established(Core& core, uint32_t index) {
  const Flow& flow = core.flows[index];
  const ServiceView* service = core.snapshot->find_service(flow.key.service);
  if (service == nullptr || !service->guard.limits_clients()) return;
  core.clients.flow_established(
      index, client_key(service->guard, service->id, address_key(core.client(flow).ip)));
}

void count_over(Core& core, uint32_t index) {
  core.service(core.flows[index]).active.subtract();
  core.clients.flow_over(index);
}

}  // namespace sluice
