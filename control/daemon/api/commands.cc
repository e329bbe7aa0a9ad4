// SPDX-License-Identifier: BSD-3-Clause
// Requests of the local API, answered from the running balancer.
#include "control/daemon/api/commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/daemon/api/flow_view.h"
#include "control/daemon/api/restart_view.h"
#include "control/daemon/api/why_view.h"
#include "control/daemon/status/live_findings.h"
#include "control/daemon/status/program_view.h"
#include "control/daemon/status/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr size_t kRowsDefault = 100;
constexpr size_t kRowsMax = 10000;  // bounds an answer, and the time that it takes

constexpr std::string_view kFlows = "flows";  // the view that is a search

template <class Answer>
ApiServer::LaterHandler gives(Answer answer) {
  return
      [answer](const json& request, const ApiServer::Reply& reply) { reply.give(answer(request)); };
}

// For a text that is meant for whoever asked.
template <class Answer>
ApiServer::LaterHandler says(Answer answer) {
  return gives([answer](const json& request) { return json{{"message", answer(request)}}; });
}

IpEndpoint endpoint_in(const json& request, const char* key) {
  return parse_endpoint(request.at(key).get_ref<const std::string&>()).value();
}

// The numbers of a SYN; nothing when the request has none.
std::optional<SynNumbers> syn_of(const json& request) {
  if (!request.contains("seq") && !request.contains("tsval")) return std::nullopt;
  SynNumbers syn;
  syn.sequence = request.value("seq", uint32_t{0});
  syn.timestamps = request.contains("tsval");
  syn.tsval = request.value("tsval", uint32_t{0});
  return syn;
}

// What `prior` says. `tuple`, as the version before called it, has words of its own.
const char* kind_name(PriorIncarnation::Kind kind) {
  switch (kind) {
    case PriorIncarnation::Kind::kFresh:
      return "fresh";
    case PriorIncarnation::Kind::kAvailable:
      return "available";
    case PriorIncarnation::Kind::kTimeWait:
      return "time_wait";
  }
  return "?";
}

const char* old_kind_name(PriorIncarnation::Kind kind) {
  if (kind == PriorIncarnation::Kind::kAvailable) return "clean";
  return kind == PriorIncarnation::Kind::kTimeWait ? "held" : kind_name(kind);
}

json explanation(net::Protocol protocol, const ExplainTuple::Answer& answer,
                 const std::optional<SynNumbers>& syn) {
  json out = {{"in_use", answer.in_use},
              {"prior", kind_name(answer.prior.kind)},
              {"tuple", old_kind_name(answer.prior.kind)}};
  out["protocol"] = word_of(protocol);
  if (answer.prior.kind != PriorIncarnation::Kind::kFresh) out["age_ms"] = answer.age_ms;
  if (protocol == net::Protocol::kUdp) return out;  // it leaves nothing behind
  if (answer.prior.kind != PriorIncarnation::Kind::kFresh) {
    out["last_sequence"] = answer.prior.rcv_nxt;
    out["timestamps"] = answer.prior.timestamps;
    if (answer.prior.timestamps) out["last_tsval"] = answer.prior.ts_recent;
  }
  out["in_time_wait"] = answer.prior.kind == PriorIncarnation::Kind::kTimeWait &&
                        answer.age_ms < answer.rules.time_wait_ms;
  out["reuse"] = to_string(answer.rules.policy);
  if (syn) {
    out["taken_as_it_is"] = answer.linux_takes;
    out["ts_offset"] = static_cast<int32_t>(answer.adjust.timestamp);
    out["seq_offset"] = static_cast<int32_t>(answer.adjust.sequence);
  }
  return out;
}

}  // namespace

Commands::Commands(DataplaneManager& dataplane, Operations& operations)
    : dataplane_(dataplane),
      operations_(operations),
      tracer_(dataplane),
      stages_(dataplane),
      views_(views()),
      calls_(calls()) {}

// ---- the tables --------------------------------------------------------------------------------

std::vector<Commands::View> Commands::views() {
  return {
      {"services", [this] { return view_services(dataplane_); }},
      {"backends", [this] { return view_backends(dataplane_); }},
      {"drain", [this] { return operations_.view_drain(); }},
      {"pools", [this] { return view_pools(dataplane_); }},
      {"workers", [this] { return view_workers(dataplane_, loads_.latest()); }},
      {"stages", [this] { return stages_.view(); }},
      {"interfaces", [this] { return view_interfaces(dataplane_); }},
      {"program",
       [this] { return view_program(dataplane_, operations_.reloads(), operations_.loop_load()); }},
      {"refusals", [this] { return view_refusals(dataplane_); }},
      {"counters", [this] { return counters(); }},
  };
}

json Commands::restart_plan() const {
  return view_restart(dataplane_, operations_.file());
}

std::vector<ApiCall> Commands::calls() {
  return {
      {"show",
       Access::kRead,
       {required("what", view_name()), optional("limit", any_count()),
        optional("filter", flow_filter()), optional("cursor", flow_cursor())},
       gives([this](const json& request) {
         const std::string what = request.at("what");
         return what == kFlows ? show_flows(request) : show(what);
       })},
      {"status", Access::kRead, {}, gives([this](const json&) { return status(); })},
      {"doctor", Access::kRead, {}, gives([this](const json&) { return doctor(); })},
      {"explain",
       Access::kRead,
       {required("local", endpoint()), required("backend", endpoint()),
        optional("protocol", word_for<net::Protocol>()), optional("seq", integer(kUint32Range)),
        optional("tsval", integer(kUint32Range))},
       gives([this](const json& request) { return explain(request); })},
      {"trace_start",
       Access::kWrite,
       {required("client", host()), optional("service", any_text()),
        optional("count", integer(kTraceCountRange)),
        optional("seconds", integer(kTraceSecondsRange))},
       gives([this](const json& request) { return tracer_.start(request); })},
      {"trace_read",
       Access::kWrite,
       {required("trace", any_count())},
       gives([this](const json& request) { return tracer_.read(request); })},
      {"trace_stop",
       Access::kWrite,
       {required("trace", any_count())},
       says([this](const json& request) { return tracer_.stop(request); })},
      {"why", Access::kRead, why_parameters(),
       gives([this](const json& request) { return view_why(dataplane_, request); })},
      {"backend_set",
       Access::kWrite,
       {required("service", any_text()), required("backend", any_text()),
        optional("weight", integer(kWeightRange)), optional("state", word_for<AdminState>()),
        optional("reset_flows", flag())},
       says([this](const json& request) { return operations_.set_backend(request); })},
      {"backend_clear",
       Access::kWrite,
       {optional("service", any_text()), optional("backend", any_text()), optional("all", flag())},
       says([this](const json& request) { return operations_.clear_backend(request); })},
      {"reload",
       Access::kWrite,
       {optional("overrides", word_for<OnReload>())},
       [this](const json& request, const ApiServer::Reply& reply) { reload(request, reply); }},
      {"save_begin", Access::kWrite, {}, gives([this](const json&) {
         return operations_.begin_save();
       })},
      {"save_end", Access::kWrite, {}, says([this](const json&) {
         return operations_.end_save();
       })},
      {"restart_plan", Access::kRead, {}, gives([this](const json&) { return restart_plan(); })},
      {"support", Access::kWrite, {}, gives([this](const json&) { return operations_.support(); })},
      // Of a sluicectl that left the writing to us.
      {"save", Access::kWrite, {}, says([](const json&) -> std::string {
         throw RequestError("save is done by sluicectl itself now: use the one of this version");
       })},
      {"drain",
       Access::kWrite,
       {optional("drop_syns", flag()), optional("reset", flag()), optional("exit", flag()),
        optional("timeout_s", integer(kDrainSecondsRange))},
       gives([this](const json& request) { return operations_.start_drain(request); })},
      {"undrain", Access::kWrite, {}, gives([this](const json&) {
         return operations_.end_drain();
       })},
  };
}

ValueKind Commands::view_name() const {
  std::vector<std::string> names{std::string(kFlows)};
  for (const View& view : views_) names.emplace_back(view.name);
  return word(names);
}

// ---- their answers -----------------------------------------------------------------------------

void Commands::reload(const json& request, const ApiServer::Reply& reply) {
  const auto choice = value_of<OnReload>(request.value("overrides", ""));
  operations_.reload(choice.value_or(OnReload::kRefuse),
                     [reply](const Operations::Outcome& outcome) {
                       if (!outcome.reloaded) return reply.refuse(outcome.text);
                       reply.give({{"message", outcome.text}});
                     });
}

json Commands::show(std::string_view what) const {
  const auto view = std::ranges::find(views_, what, &View::name);
  if (view == views_.end()) throw RequestError(fmt::format("nothing is called \"{}\"", what));
  return view->make();
}

json Commands::counters() const {
  json answer = view_counters(dataplane_);
  answer["packets"] = view_packet_balance(dataplane_);
  return answer;
}

json Commands::show_flows(const json& request) const {
  const size_t rows_max = std::min(request.value("limit", kRowsDefault), kRowsMax);
  return view_flows(dataplane_, flow_query_of(request, dataplane_.config(), rows_max));
}

json Commands::doctor() const {
  return {{"config_file", operations_.file()},
          {"findings", diagnose(dataplane_, status_board_.latest())},
          {"links_examined", true}};
}

ShownRows Commands::rows() const {
  return {program_row(dataplane_, operations_.reloads(), operations_.loop_load()),
          service_rows(dataplane_),
          backend_rows(dataplane_),
          pool_rows(dataplane_),
          worker_rows(dataplane_, loads_.latest()),
          interface_rows(dataplane_),
          drop_rows(dataplane_),
          event_rows(dataplane_)};
}

json Commands::explain(const json& request) const {
  const IpEndpoint local = endpoint_in(request, "local");
  const IpEndpoint backend = endpoint_in(request, "backend");
  const auto syn = syn_of(request);
  const auto protocol = value_of<net::Protocol>(request.value("protocol", "tcp")).value();
  if (protocol == net::Protocol::kUdp && syn) throw RequestError("a datagram has no seq or tsval");
  const auto pool = dataplane_.identities().pools().find({protocol, local.ip, backend});
  if (pool == dataplane_.identities().pools().end()) {
    throw RequestError(fmt::format("no pool has {} towards {} (see: sluicectl show pools)",
                                   to_string(local.ip), to_string(backend)));
  }
  const uint16_t port = local.port.host();
  if (!pool->second.range.contains(port)) {
    throw RequestError(
        fmt::format("port {} is not among the pool's {}", port, to_string(pool->second.range)));
  }
  ExplainTuple call(pool->second.id, port, syn);
  const auto& state = *dataplane_.identities().registries().front()->pools[pool->second.id];
  Worker& owner = *dataplane_.workers()[state.shares->owner_of(port)];
  if (!owner.run(call)) throw RequestError("the worker does not run");
  return explanation(protocol, call.answer(), syn);
}

void Commands::tick() {
  dataplane_.sample();
  loads_.sample(dataplane_.workers());
  status_board_.sample(dataplane_,
                       {operations_.reloads(), operations_.loop_load(), operations_.drain_row()},
                       loads_.latest());
  tracer_.tick();
  stages_.tick();
}

}  // namespace sluice::control
