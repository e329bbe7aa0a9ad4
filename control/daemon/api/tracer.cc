// SPDX-License-Identifier: BSD-3-Clause
// From records to rows.
#include "control/daemon/api/tracer.h"

#include <fmt/format.h>

#include <utility>

#include "control/common/errors.h"
#include "control/common/ranges.h"
#include "control/config/address_text.h"
#include "control/daemon/api/packet_rows.h"
#include "control/daemon/api/request_names.h"
#include "dataplane/worker/set_trace.h"

namespace sluice::control {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kUnreadMax{5};
constexpr size_t kRowsPerRead = 500;  // bounds an answer

// "10.1.0.7:40000", or "10.1.0.7" for all of its ports.
IpEndpoint client_of(const std::string& text) {
  return parse_endpoint(text).value_or(IpEndpoint{parse_ip(text).value_or(IpAddress()), {}});
}

json flow_or_null(const std::optional<FlowView>& flow) {
  return flow ? flow_row(*flow) : json();
}

const char* name_of(net::Verdict verdict) {
  if (!verdict.passed()) return "dropped";
  switch (verdict.fate()) {
    case net::Fate::kSent:
      return "sent";
    case net::Fate::kWaiting:
      return "waiting";
    case net::Fate::kHandedOff:
      return "handed_off";
    case net::Fate::kToKernel:
      return "to_kernel";
    case net::Fate::kHeld:
      break;  // of fragments, which nobody traces
    case net::Fate::kConsumed:
      return "consumed";
  }
  return "?";
}

}  // namespace

void Tracer::tick() {
  if (running_ && Clock::now() - running_->last_read > kUnreadMax) end();
}

json Tracer::start(const json& request) {
  if (running_) {
    throw RequestError(
        fmt::format("{} is being traced; that ends with whoever asked for it, or {} s after",
                    running_->client, kUnreadMax.count()));
  }
  const std::string client = request.at("client");
  TraceFilter filter{client_of(client), {}};
  if (request.contains("service")) {
    const ServiceConfig& service = service_named(dataplane_.config(), request.at("service"));
    filter.vip = service.vip;
    filter.protocol = service.protocol;
  }
  const uint32_t count = request.value("count", kTraceCountDefault);
  const uint32_t seconds = request.value("seconds", kTraceSecondsDefault);
  const auto now = Clock::now();
  running_ = Running{++last_id_, client, count, 0, now + std::chrono::seconds(seconds), now, {}};
  for (const auto& worker : dataplane_.workers()) {
    Part& part = running_->parts.emplace_back();
    part.trace = std::make_unique<Trace>(filter, count, uint64_t{seconds} * 1000);
    SetTrace arm(part.trace.get());
    if (worker->run(arm)) continue;
    end();
    throw RequestError("a worker does not run");
  }
  return {{"trace", last_id_}};
}

void Tracer::check_is_running(const json& request) const {
  const uint64_t id = request.at("trace");
  if (!running_ || running_->id != id) throw RequestError("that trace has ended");
}

json Tracer::read(const json& request) {
  check_is_running(request);
  const auto now = Clock::now();
  running_->last_read = now;
  const bool late = now >= running_->end;  // asked before the records are: none is missed
  json rows = json::array();
  while (running_->left > 0 && rows.size() < kRowsPerRead) {
    // The worker whose next record is the oldest.
    Part* next = nullptr;
    for (Part& part : running_->parts) {
      if (part.read == part.trace->count()) continue;
      const auto us = [](const Part& of) { return (*of.trace)[of.read].now_us; };
      if (next == nullptr || us(part) < us(*next)) next = &part;
    }
    if (next == nullptr) break;
    const auto worker = static_cast<uint32_t>(next - running_->parts.data());
    rows.push_back(row((*next->trace)[next->read++], worker));
    --running_->left;
  }
  const bool over = running_->left == 0 || (late && rows.size() < kRowsPerRead);
  json answer = {{"packets", std::move(rows)}, {"over", over}};
  if (over) end();
  return answer;
}

std::string Tracer::stop(const json& request) {
  check_is_running(request);
  end();
  return "stopped";
}

json Tracer::row(const TraceRecord& record, uint32_t worker) {
  json events = json::array();
  for (size_t i = 0; i < kEventCount; ++i) {
    if (record.events.test(i)) events.push_back(kEventTexts[i].name);
  }
  json row = {{"number", ++running_->number},
              {"time_ms", record.wall_clock_ms},
              {"us", record.now_us},
              {"worker", worker},
              {"taken_over", record.taken_over},
              {"interface", dataplane_.config().interfaces[record.interface].name},
              {"protocol", to_string(record.protocol)},
              {"from", record.from_client ? "client" : "backend"},
              {"in", packet_row(record.in, record.protocol)},
              {"before", flow_or_null(record.before)},
              {"after", flow_or_null(record.after)},
              {"out", record.out ? packet_row(*record.out, record.protocol) : json()},
              {"verdict", name_of(record.verdict)},
              {"counted", std::move(events)}};
  if (!record.verdict.passed()) {
    const net::CounterText& text =
        net::kDropReasonTexts[static_cast<size_t>(record.verdict.reason())];
    row["reason"] = text.name;
    row["meaning"] = text.help;
  }
  return row;
}

void Tracer::end() {
  if (!running_) return;
  SetTrace disarm(nullptr);
  // A worker that does not run does not look at it either.
  for (const auto& worker : dataplane_.workers()) static_cast<void>(worker->run(disarm));
  running_.reset();
}

}  // namespace sluice::control
