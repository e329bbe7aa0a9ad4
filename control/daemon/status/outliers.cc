// SPDX-License-Identifier: BSD-3-Clause
// Medians of the others.
#include "control/daemon/status/outliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "control/common/human.h"

namespace sluice::control {
namespace {

using nlohmann::json;
using Rows = std::vector<json*>;

constexpr double kSlowRatio = 5;
constexpr double kSlowHandshakeMs = 5;  // slower by less than that nobody looks for a reason
constexpr double kSlowCheckMs = 100;
constexpr double kConnectionsMin = 10;  // fewer in ten seconds say nothing
// An IPv4 header, a TCP header and options: a SYN-ACK has 60 bytes, an acknowledgement 52.
constexpr double kBareSegmentBytes = 60;
constexpr double kTalkBytes = 70;
// A SYN, an acknowledgement and the shortest request; who only connects, as monitors do, has 56.
constexpr double kAskedBytes = 58;

// Of `sorted` without one element; of two in the middle the lower one, so that two slow ones of
// three are both named.
double median_without(const std::vector<double>& sorted, size_t index) {
  const size_t middle = (sorted.size() - 2) / 2;
  return sorted[middle < index ? middle : middle + 1];
}

void add_median_of_others(const Rows& rows, const char* field, const char* of_others) {
  std::vector<double> sorted;
  for (const json* row : rows) {
    const json value = row->value(field, json());
    if (value.is_number()) sorted.push_back(value.get<double>());
  }
  std::ranges::sort(sorted);
  for (json* row : rows) {
    const json value = row->value(field, json());
    (*row)[of_others] = json();
    if (!value.is_number() || sorted.size() < 2) continue;
    const auto own = std::ranges::lower_bound(sorted, value.get<double>());
    (*row)[of_others] = median_without(sorted, static_cast<size_t>(own - sorted.begin()));
  }
}

double bytes_a_packet(const json& row, const char* bytes, const char* packets) {
  const double count = row.value(packets, 0.0);
  return count > 0 ? row.value(bytes, 0.0) / count : 0;
}

double bytes_a_packet_out(const json& row) {
  return bytes_a_packet(row, "bytes_out_recent", "packets_out_recent");
}

bool talks(const json& row) {
  return bytes_a_packet_out(row) > kTalkBytes;
}

bool is_talked_to(const json& row) {
  return bytes_a_packet(row, "bytes_in_recent", "packets_in_recent") > kAskedBytes;
}

void add_others_talk(const Rows& rows) {
  const auto count = std::ranges::count_if(rows, [](const json* row) { return talks(*row); });
  for (json* row : rows) (*row)["others_talk"] = count > (talks(*row) ? 1 : 0);
}

bool much_slower(double own, const json& others, double by_at_least_ms) {
  return others.is_number() && own > kSlowRatio * others.get<double>() &&
         own - others.get<double>() >= by_at_least_ms;
}

}  // namespace

void add_siblings(json& backends) {
  std::map<std::string, Rows> by_service;
  for (json& row : backends) by_service[row.at("service")].push_back(&row);
  for (const auto& [service, rows] : by_service) {
    add_median_of_others(rows, "handshake_p50_ms", "handshake_others_ms");
    add_median_of_others(rows, "check_usual_ms", "check_others_ms");
    add_others_talk(rows);
  }
}

std::string slowness_of(const json& row) {
  const auto number = [&row](const char* key) {
    const json value = row.value(key, json());
    return value.is_number() ? value.get<double>() : 0;
  };
  const auto said = [&](const char* own, const char* others, const char* what) {
    return fmt::format("needs {} for a {}, the other backends {}", human_fine_ms(number(own)), what,
                       human_fine_ms(number(others)));
  };
  if (row.value("answered_recent", 0.0) >= kConnectionsMin &&
      much_slower(number("handshake_p50_ms"), row.value("handshake_others_ms", json()),
                  kSlowHandshakeMs)) {
    return said("handshake_p50_ms", "handshake_others_ms", "handshake");
  }
  if (much_slower(number("check_usual_ms"), row.value("check_others_ms", json()), kSlowCheckMs)) {
    return said("check_usual_ms", "check_others_ms", "health check");
  }
  return "";
}

bool is_silent(const json& row) {
  return row.value("others_talk", false) && is_talked_to(row) &&
         bytes_a_packet_out(row) <= kBareSegmentBytes &&
         row.value("answered_recent", 0.0) >= kConnectionsMin;
}

}  // namespace sluice::control
