// SPDX-License-Identifier: BSD-3-Clause
// `sluicectl show flows`: which flows are wanted, and a bounded search for them.
#include "control/daemon/api/flow_view.h"

#include <algorithm>

#include "control/common/row_json.h"
#include "control/common/status_rows.h"
#include "control/common/text.h"
#include "control/daemon/api/request_names.h"
#include "control/daemon/status/views.h"

namespace sluice::control {
namespace {

using nlohmann::json;

// What one question costs at most: some milliseconds of each worker, a look between bursts at a
// time.
constexpr uint32_t kEntriesPerQuestion = 1u << 18;

FlowRow row_of(const ListFlows::Row& flow) {
  return {.protocol = String(to_string(flow.protocol)),
          .client = net::to_string(flow.client),
          .vip = net::to_string(flow.vip),
          .local = net::to_string(flow.local),
          .backend = net::to_string(flow.backend),
          .state = std::string(name_of(flow.state)),
          .age_ms = flow.age_ms,
          .idle_ms = flow.idle_ms,
          .ts_offset = static_cast<int32_t>(flow.adjust.timestamp),
          .seq_offset = static_cast<int32_t>(flow.adjust.sequence),
          .bytes_in = flow.bytes_in,
          .bytes_out = flow.bytes_out};
}

// "10.1.0.7", "10.1.0.7:40000" or "10.1.0.0/16".
void set_side(const json& filter, const char* key, std::optional<IpPrefix>& network,
              net::be16& port) {
  const auto whole = [](const IpAddress& ip) {
    return IpPrefix{ip, static_cast<uint8_t>(ip.bit_count())};
  };
  if (!filter.contains(key)) return;
  const std::string text = filter.at(key);
  if (const auto endpoint = parse_endpoint(text)) {
    network = whole(endpoint->ip);
    port = endpoint->port;
  } else if (const auto ip = parse_ip(text)) {
    network = whole(*ip);
  } else {
    network = parse_prefix(text).value().network();
  }
}

std::optional<FlowState> state_named(std::string_view name) {
  const auto found = std::ranges::find(kFlowStateNames, name);
  if (found != kFlowStateNames.end())
    return static_cast<FlowState>(found - kFlowStateNames.begin());
  // As the version before called them.
  if (name == "clean") return FlowState::kClosed;
  if (name == "held") return FlowState::kTimeWait;
  return std::nullopt;
}

ValueKind flow_state() {
  const std::vector<std::string> names(kFlowStateNames.begin(), kFlowStateNames.end());
  return {"one of " + join(names, ", "),
          [](const json& value) {
            return value.is_string() && state_named(value.get_ref<const std::string&>());
          },
          {}};
}

// [worker, entry], as an answer has it in `next`; null is the beginning.
bool is_cursor(const json& value) {
  if (value.is_null()) return true;
  return value.is_array() && value.size() == 2 &&
         std::ranges::all_of(value, integer(kUint32Range).fits);
}

uint32_t age_ms(const json& filter, const char* key, uint32_t otherwise) {
  return filter.contains(key) ? filter.at(key).get<uint32_t>() * 1000 : otherwise;
}

}  // namespace

ValueKind flow_filter() {
  return object({optional("client", host_or_network()), optional("backend", host_or_network()),
                 optional("service", any_text()), optional("state", flow_state()),
                 optional("age_min_s", integer(kFlowAgeSecondsRange)),
                 optional("age_max_s", integer(kFlowAgeSecondsRange))});
}

ValueKind flow_cursor() {
  return {"what an answer had in next", is_cursor, {}};
}

FlowQuery flow_query_of(const json& request, const Config& config, size_t rows_max) {
  FlowQuery query{.rows_max = rows_max};
  const json filter = request.value("filter", json::object());
  set_side(filter, "client", query.filter.client, query.filter.client_port);
  set_side(filter, "backend", query.filter.backend, query.filter.backend_port);
  if (filter.contains("service"))
    query.service = key_of(service_named(config, filter.at("service")));
  if (filter.contains("state")) query.filter.state = state_named(filter.value("state", ""));
  query.filter.age_min_ms = age_ms(filter, "age_min_s", 0);
  query.filter.age_max_ms = age_ms(filter, "age_max_s", UINT32_MAX);
  if (const json cursor = request.value("cursor", json()); !cursor.is_null()) {
    query.worker = cursor.at(0);
    query.entry = cursor.at(1);
  }
  return query;
}

json view_flows(const DataplaneManager& dataplane, const FlowQuery& query) {
  FlowFilter filter = query.filter;
  if (query.service) filter.service = dataplane.identities().services().at(*query.service).id;
  json rows = json::array();
  json next;
  uint32_t left = kEntriesPerQuestion;
  uint32_t entry = query.entry;
  uint64_t total = 0;
  for (size_t i = 0; i < dataplane.workers().size(); ++i)
    total += dataplane.workers()[i]->flow_count();
  for (size_t i = query.worker; i < dataplane.workers().size(); ++i, entry = 0) {
    if (left == 0 || rows.size() == query.rows_max) {
      next = {i, entry};
      break;
    }
    ListFlows call(filter, {entry, left, query.rows_max - rows.size()});
    if (!dataplane.workers()[i]->run(call)) continue;
    left -= std::min(left, call.looked_at());
    for (const ListFlows::Row& flow : call.rows())
      rows.push_back(json_of(row_of(flow), FieldPlace::kShow));
    if (call.next()) {
      next = {i, *call.next()};
      break;
    }
  }
  json answer = {{"flows", std::move(rows)}, {"next", std::move(next)}};
  if (filter == FlowFilter{}) answer["total"] = total;
  return answer;
}

}  // namespace sluice::control
