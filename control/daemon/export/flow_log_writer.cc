// SPDX-License-Identifier: BSD-3-Clause
// From records to lines to a file.
#include "control/daemon/export/flow_log_writer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

namespace sluice::control {
namespace {

constexpr std::chrono::milliseconds kPeriod{20};
constexpr size_t kRecords = 256;  // taken at a time

std::string_view fix_of(net::SeqAdjust adjust) {
  if (!adjust.any()) return "none";
  if (adjust.sequence == 0) return "tsval";
  return adjust.timestamp == 0 ? "sequence" : "both";
}

std::string seconds_text(uint64_t ms) {
  return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

void append_refusal(std::string& lines, const FlowRecord& record, std::string_view service) {
  fmt::format_to(
      std::back_inserter(lines),
      R"({{"service":{},"protocol":"{}","client":"{}","vip":"{}","time":{},"refused":"{}"}})"
      "\n",
      service, to_string(record.protocol), net::to_string(record.client),
      net::to_string(record.vip), seconds_text(record.end_ms),
      net::kDropReasonTexts[static_cast<size_t>(record.refusal)].name);
}

}  // namespace

void append_flow(std::string& lines, const FlowRecord& record, std::string_view service) {
  using net::to_string;
  if (record.is_refusal) return append_refusal(lines, record, service);
  const FlowEndText end = text_of(record.end);
  fmt::format_to(
      std::back_inserter(lines),
      R"({{"service":{},"protocol":"{}","client":"{}","vip":"{}","local":"{}","backend":"{}",)"
      R"("start":{},"end":{},"duration_ms":{},"bytes_in":{},"bytes_out":{},)"
      R"("closed_by":"{}","reason":"{}","state":"{}",)"
      R"("port":"{}","fix":"{}","rewritten":{},"heals":{},"syns":{}}})"
      "\n",
      service, control::to_string(record.protocol), to_string(record.client), to_string(record.vip),
      to_string(record.local), to_string(record.backend), seconds_text(record.start_ms),
      seconds_text(record.end_ms), record.end_ms - record.start_ms, record.bytes_in,
      record.bytes_out, end.closed_by, end.reason, name_of(record.state), name_of(record.reuse),
      fix_of(record.adjust), record.rewritten, record.heals, record.syns);
}

FlowLog::FlowLog(std::vector<FlowLogRing*> rings)
    : rings_(std::move(rings)), writer_([this](const std::stop_token& stop) { run(stop); }) {}

FlowLog::~FlowLog() {
  writer_.request_stop();
  writer_.join();
}

void FlowLog::apply(const Config& config) {
  path_ = config.flow_log.file;
  for (const ServiceConfig& service : config.services) {
    // Names of services that were removed stay: their flows may end yet.
    configured_[key_of(service)] = nlohmann::json(service.name).dump();
  }
  order();
}

void FlowLog::reopen() {
  order();
}

void FlowLog::order() {
  Order order;
  order.names = configured_;
  try {
    if (!path_.empty()) order.file = open_flow_log(path_);
  } catch (const std::system_error& error) {
    spdlog::error("{}: flows are not logged", error.what());
  }
  const std::lock_guard lock(mutex_);
  order_ = std::move(order);
  wake_.notify_one();
}

void FlowLog::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, kPeriod, [this] { return order_.has_value(); });
    }
    empty_rings();  // what ended before the order still belongs to the old file
    take_order();
  }
  empty_rings();
}

void FlowLog::take_order() {
  const std::lock_guard lock(mutex_);
  if (!order_) return;
  lines_.clear();  // a rest that the old file does not take would be half a line in the new one
  order_->file.succeed(file_);
  file_ = std::move(order_->file);
  names_ = std::move(order_->names);
  order_.reset();
}

void FlowLog::empty_rings() {
  std::array<FlowRecord, kRecords> records;
  file_.append(lines_);
  for (FlowLogRing* ring : rings_) {
    for (unsigned turn = 0; turn <= FlowLogRing::kRecordsMax / kRecords; ++turn) {
      if (!lines_.empty()) return;  // the file takes no more for now
      const unsigned count = ring->collect(records.data(), kRecords);
      if (count == 0) break;
      for (unsigned i = 0; i < count; ++i) {
        const auto name = names_.find({records[i].protocol, records[i].vip});
        append_flow(lines_, records[i], name == names_.end() ? "null" : name->second);
      }
      file_.append(lines_);
    }
  }
}

}  // namespace sluice::control
