// SPDX-License-Identifier: BSD-3-Clause
// Requests of the local API, answered from the running balancer.
#include "control/daemon/api/commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/daemon/status/live_findings.h"
#include "control/daemon/status/program_view.h"
#include "control/daemon/status/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr size_t kRowsDefault = 100;
constexpr size_t kRowsMax = 10000;  // bounds an answer, and the time that it takes

net::Endpoint endpoint_of(const json& request, const char* key) {
  const std::string text = request.at(key);
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) {
    throw RequestError(
        fmt::format("{}: got \"{}\", expected \"address:port\" (port 1..65535)", key, text));
  }
  return *endpoint;
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

const char* kind_name(PriorIncarnation::Kind kind) {
  switch (kind) {
    case PriorIncarnation::Kind::kFresh:
      return "fresh";
    case PriorIncarnation::Kind::kAvailable:
      return "clean";
    case PriorIncarnation::Kind::kTimeWait:
      return "held";
  }
  return "?";
}

json explanation(const ExplainTuple::Answer& answer, const std::optional<SynNumbers>& syn) {
  json out = {{"in_use", answer.in_use}, {"tuple", kind_name(answer.prior.kind)}};
  if (answer.prior.kind != PriorIncarnation::Kind::kFresh) {
    out["age_ms"] = answer.age_ms;
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

void Commands::handle(const json& request, const ApiServer::Reply& reply) {
  if (request.at("command") != "reload") return reply.give(handle(request));
  operations_.reload(Operations::on_reload(request), [reply](const Operations::Outcome& outcome) {
    if (!outcome.reloaded) return reply.refuse(outcome.text);
    reply.give({{"message", outcome.text}});
  });
}

void Commands::handle_question(const json& request, const ApiServer::Reply& reply) {
  constexpr const char* kQuestions[] = {"show", "status", "doctor", "explain"};
  const std::string command = request.at("command");
  if (std::ranges::find(kQuestions, command) != std::end(kQuestions)) {
    return reply.give(handle(request));
  }
  throw RequestError(
      fmt::format("\"{}\" is not for control.read_socket, which only shows: ask at "
                  "control.socket, as root or as the user that runs sluice",
                  command));
}

json Commands::handle(const json& request) {
  const std::string command = request.at("command");
  if (command == "show") {
    return request.at("what") == "flows" ? show_flows(request) : show(request.at("what"));
  }
  if (command == "status") return status();
  if (command == "doctor") {
    return {{"config_file", operations_.file()},
            {"findings", diagnose(dataplane_, status())},
            {"links_examined", true}};
  }
  if (command == "explain") return explain(request);
  if (const auto answer = operations_.handle(command, request)) return *answer;
  if (const auto answer = tracer_.handle(command, request)) return *answer;
  throw RequestError(fmt::format("unknown command \"{}\"", command));
}

json Commands::show_flows(const json& request) {
  const size_t rows_max = std::min(request.value("limit", kRowsDefault), kRowsMax);
  return view_flows(dataplane_, flow_query_of(request, dataplane_.config(), rows_max));
}

json Commands::show(const std::string& what) {
  if (what == "services") return view_services(dataplane_);
  if (what == "backends") return view_backends(dataplane_);
  if (what == "drain") return operations_.view_drain();
  if (what == "program")
    return view_program(dataplane_, operations_.reloads(), operations_.loop_load());
  if (what == "interfaces") return view_interfaces(dataplane_);
  if (what == "pools") return view_pools(dataplane_);
  if (what == "workers") return view_workers(dataplane_, loads_.latest());
  if (what == "counters") {
    json answer = view_counters(dataplane_);
    answer["packets"] = view_packet_balance(dataplane_);
    return answer;
  }
  throw RequestError(fmt::format("nothing is called \"{}\"", what));
}

json Commands::explain(const json& request) {
  const net::Endpoint local = endpoint_of(request, "local");
  const net::Endpoint backend = endpoint_of(request, "backend");
  const auto syn = syn_of(request);
  const auto pool = dataplane_.identities().pools().find({local.ip, backend});
  if (pool == dataplane_.identities().pools().end()) {
    throw RequestError(fmt::format("no pool has {} towards {} (see: sluicectl show pools)",
                                   net::to_string(local.ip), net::to_string(backend)));
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
  return explanation(call.answer(), syn);
}

void Commands::tick() {
  dataplane_.sample();
  loads_.sample(dataplane_.workers());
  const json drain = operations_.view_drain();
  status_board_.sample(dataplane_, {operations_.reloads(), operations_.loop_load(), drain},
                       loads_.latest());
  tracer_.tick();
}

}  // namespace sluice::control
