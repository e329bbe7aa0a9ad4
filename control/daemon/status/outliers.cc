// SPDX-License-Identifier: BSD-3-Clause
// Medians of the others.
#include "control/daemon/status/outliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "control/common/human.h"
#include "control/daemon/status/bounds.h"

namespace sluice::control {
namespace {

using BackendRows = std::vector<BackendRow*>;

constexpr uint64_t kConnectionsMin = 10;  // fewer in ten seconds say nothing
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

template <class Time>
void add_median_of_others(const BackendRows& rows, std::optional<Time> BackendRow::*field,
                          OptNumber BackendRow::*of_others) {
  std::vector<double> sorted;
  for (const BackendRow* row : rows) {
    if (row->*field) sorted.push_back(static_cast<double>(*(row->*field)));
  }
  std::ranges::sort(sorted);
  for (BackendRow* row : rows) {
    row->*of_others = std::nullopt;
    if (!(row->*field) || sorted.size() < 2) continue;
    const auto own = std::ranges::lower_bound(sorted, static_cast<double>(*(row->*field)));
    row->*of_others = median_without(sorted, static_cast<size_t>(own - sorted.begin()));
  }
}

double bytes_a_packet(const Watched& bytes, const Watched& packets) {
  if (packets.recent == 0) return 0;
  return static_cast<double>(bytes.recent) / static_cast<double>(packets.recent);
}

double bytes_a_packet_out(const BackendRow& row) {
  return bytes_a_packet(row.bytes_out, row.packets_out);
}

bool talks(const BackendRow& row) {
  return bytes_a_packet_out(row) > kTalkBytes;
}

bool is_talked_to(const BackendRow& row) {
  return bytes_a_packet(row.bytes_in, row.packets_in) > kAskedBytes;
}

void add_others_talk(const BackendRows& rows) {
  const auto count = std::ranges::count_if(rows, [](const BackendRow* row) { return talks(*row); });
  for (BackendRow* row : rows) row->others_talk = count > (talks(*row) ? 1 : 0);
}

bool much_slower(double own, const OptNumber& others, double by_at_least_ms) {
  return others && own > kSlowRatio * *others && own - *others >= by_at_least_ms;
}

std::string slowness_text(double own, double others, const char* what) {
  return fmt::format("needs {} for a {}, the other backends {}", human_fine_ms(own), what,
                     human_fine_ms(others));
}

}  // namespace

void add_outliers(std::vector<BackendRow>& backends) {
  std::map<std::string, BackendRows> by_service;
  for (BackendRow& row : backends) by_service[row.service].push_back(&row);
  for (const auto& [service, rows] : by_service) {
    add_median_of_others(rows, &BackendRow::handshake_p50_ms, &BackendRow::handshake_others_ms);
    add_median_of_others(rows, &BackendRow::check_usual_ms, &BackendRow::check_others_ms);
    add_others_talk(rows);
  }
}

std::string slowness_of(const BackendRow& row) {
  const double handshake = row.handshake_p50_ms.value_or(0);
  if (row.answered.recent >= kConnectionsMin &&
      much_slower(handshake, row.handshake_others_ms, kSlowHandshakeMs)) {
    return slowness_text(handshake, *row.handshake_others_ms, "handshake");
  }
  const auto check = static_cast<double>(row.check_usual_ms.value_or(0));
  if (much_slower(check, row.check_others_ms, kSlowCheckMs)) {
    return slowness_text(check, *row.check_others_ms, "health check");
  }
  return "";
}

bool is_silent(const BackendRow& row) {
  return row.others_talk && is_talked_to(row) && bytes_a_packet_out(row) <= kBareSegmentBytes &&
         row.answered.recent >= kConnectionsMin;
}

}  // namespace sluice::control
