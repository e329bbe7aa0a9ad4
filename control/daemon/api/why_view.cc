// SPDX-License-Identifier: BSD-3-Clause
// From records to rows, oldest first.
#include "control/daemon/api/why_view.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "control/config/address_text.h"
#include "control/daemon/api/packet_rows.h"
#include "control/daemon/api/request_names.h"
#include "dataplane/worker/list_why.h"

namespace sluice::control {
namespace {

using nlohmann::json;

AddressKeyPrefix prefix_of(const IpAddress& ip, uint8_t length) {
  if (ip.is_v4()) return {address_key(ip.v4()), static_cast<uint8_t>(kMappedBits + length)};
  return {address_key(ip.v6()), length};
}

// "10.1.0.7", "10.1.0.7:40000" or "10.1.0.0/16".
void set_client(const std::string& text, WhyFilter& filter) {
  if (const auto endpoint = parse_endpoint(text)) {
    filter.client = prefix_of(endpoint->ip, static_cast<uint8_t>(endpoint->ip.bit_count()));
    filter.client_port = endpoint->port;
  } else if (const auto ip = parse_ip(text)) {
    filter.client = prefix_of(*ip, static_cast<uint8_t>(ip->bit_count()));
  } else {
    const IpPrefix network = parse_prefix(text).value();
    filter.client = prefix_of(network.address, network.length);
  }
}

uint64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).count());
}

WhyFilter filter_of(const DataplaneManager& dataplane, const json& request) {
  WhyFilter filter;
  set_client(request.at("client"), filter);
  if (request.contains("service")) {
    const ServiceConfig& service = service_named(dataplane.config(), request.at("service"));
    filter.vip = service.vip;
    filter.protocol = service.protocol;
  }
  filter.since_ms = wall_clock_ms() - uint64_t{1000} * request.value("since_s", kWhySecondsDefault);
  return filter;
}

constexpr std::string_view word_of(WhyOutcome outcome) {
  switch (outcome) {
    case WhyOutcome::kRefused:
      return "refused";
    case WhyOutcome::kFailed:
      return "failed";
    case WhyOutcome::kReset:
      return "reset";
    case WhyOutcome::kHealed:
      return "healed";
  }
  return "?";
}

// What happened, in a sentence after the reason's name.
std::string_view meaning_of(FlowEnd end, FlowState before) {
  const bool answered = before != FlowState::kSynSent && before != FlowState::kUdpUnanswered;
  switch (end) {
    case FlowEnd::refused:
      return "the backend, or a router on the way, refused the SYN";
    case FlowEnd::unreachable:
      return "ICMP says that the backend or its port cannot be reached";
    case FlowEnd::given_up:
      return "the client gave up before any answer: RST";
    case FlowEnd::timed_out:
      if (!answered) return "the backend did not answer in time";
      return is_opening(before) ? "the client did not acknowledge the SYN-ACK in time"
                                : "no packet for longer than the state's idle time";
    case FlowEnd::replaced:
      return "its client began anew before the handshake was done";
    case FlowEnd::evicted:
      return "it made way for newer handshakes: too many are unfinished";
    case FlowEnd::heal_exhausted:
      return "the backend kept answering for an older connection";
    case FlowEnd::client_rst:
      return "the client reset it in the handshake";
    case FlowEnd::backend_rst:
      return is_opening(before) ? "the backend reset it in the handshake"
                                : "the backend reset the open connection";
    case FlowEnd::header_refused:
      return "the backend answered the PROXY header with a RST: does it expect one?";
    case FlowEnd::header_unanswered:
      return "the backend did not acknowledge the PROXY header";
    case FlowEnd::reset_by_order:
      return "an operator, a health check or the end of sluice reset it";
    case FlowEnd::client_fin:
    case FlowEnd::backend_fin:
    case FlowEnd::answered:
      break;
  }
  return "it was over";
}

void set_verdict(const WhyRecord& record, json& row) {
  if (record.is_drop) {
    const net::CounterText& text = net::kDropReasonTexts[static_cast<size_t>(record.reason)];
    row["verdict"] = "dropped";
    row["reason"] = text.name;
    row["meaning"] = text.help;
  } else if (record.outcome == WhyOutcome::kHealed) {
    row["verdict"] = "healed";
  } else {
    row["verdict"] = "ended";
    row["reason"] = text_of(record.end).reason;
    row["closed_by"] = text_of(record.end).closed_by;
    row["meaning"] = meaning_of(record.end, record.flow.state);
  }
}

json row_of(const WhyRecord& record, size_t worker) {
  json row = {{"time_ms", record.wall_clock_ms},
              {"worker", worker},
              {"protocol", to_string(record.protocol)},
              {"client", net::to_string(record.client)},
              {"vip", net::to_string(record.vip)},
              {"outcome", word_of(record.outcome)},
              {"in", nullptr},
              {"before", nullptr}};
  if (record.has_packet) {
    row["in"] = packet_row(record.packet, record.protocol);
    row["from"] = record.from_client ? "client" : "backend";
  }
  if (record.has_flow) {
    row["before"] = flow_row(record.flow);
    row["age_ms"] = record.age_ms;
    if (record.protocol == net::Protocol::kTcp) {
      row["syn_seq"] = record.sequence;
      row["syns"] = record.syns;
    }
  }
  set_verdict(record, row);
  return row;
}

uint64_t time_of(const json& row) {
  return row.at("time_ms");
}

}  // namespace

Parameters why_parameters() {
  return {required("client", host_or_network()), optional("service", any_text()),
          optional("since_s", integer(kWhySecondsRange)),
          optional("limit", integer(kWhyRowsRange))};
}

json view_why(const DataplaneManager& dataplane, const json& request) {
  const WhyFilter filter = filter_of(dataplane, request);
  const size_t rows_max = request.value("limit", kWhyRowsDefault);
  std::vector<json> rows;
  bool more = false;
  json oldest;  // of the worker that remembers least
  for (size_t i = 0; i < dataplane.workers().size(); ++i) {
    ListWhy call(filter, rows_max);
    if (!dataplane.workers()[i]->run(call)) continue;
    more |= call.more();
    for (const WhyRecord& record : call.rows()) rows.push_back(row_of(record, i));
    if (!call.oldest_ms()) continue;
    if (oldest.is_null() || oldest.get<uint64_t>() < *call.oldest_ms()) oldest = *call.oldest_ms();
  }
  std::ranges::stable_sort(rows, {}, time_of);
  if (rows.size() > rows_max) {
    more = true;
    rows.erase(rows.begin(), rows.end() - static_cast<ptrdiff_t>(rows_max));
  }
  return {{"why", rows}, {"more", more}, {"oldest_ms", oldest}};
}

}  // namespace sluice::control
