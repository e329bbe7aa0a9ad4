// SPDX-License-Identifier: BSD-3-Clause
// By what the device counts, and by what it was found to do.
#include "control/daemon/status/interface_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "control/common/human.h"
#include "control/daemon/status/bounds.h"

namespace sluice::control {
namespace {

std::string number_of(uint64_t value) {
  return human_count(static_cast<double>(value));
}

double share_of(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

RowFinding no_link(const LinkRow& row) {
  const bool telling = !row.link_reason.empty() && row.link_reason != "no link";
  return {Severity::kCritical, "no link",
          fmt::format("interface {}: no link{}", row.name, telling ? ": " + row.link_reason : ""),
          row.link_remedy.empty() ? "look at the cable and the switch's port" : row.link_remedy};
}

std::optional<RowFinding> unsent(const LinkRow& row) {
  if (row.unsent_recent < kUnsentPacketsMin || row.unsent_percent < kUnsentWarningPercent) {
    return std::nullopt;
  }
  return RowFinding{
      row.unsent_percent < kUnsentCriticalPercent ? Severity::kWarning : Severity::kCritical,
      "not sent",
      fmt::format("interface {}: the device took {} packets lately that it has not sent ({:.0f} %)",
                  row.name, number_of(row.unsent_recent), row.unsent_percent),
      "a transmit queue may be dead, or the link paused: sluicectl show interfaces --json "
      "(xstats); fewer eal.worker_lcores use fewer queues"};
}

// Of all that came in the last ten seconds, how much was lost in one way.
struct Loss {
  Watched LinkRow::*field;
  const char* condition;
  const char* what;
  std::string remedy;
};

std::vector<Loss> losses(const LinkRow& row) {
  return {
      {&LinkRow::missed, "missed", "came in and were not fetched in time",
       "its workers are too slow: BUSY and WAITED in sluicectl show workers; more "
       "eal.worker_lcores, or CPUs that nobody else has (sluicectl doctor)"},
      {&LinkRow::rx_errors, "errors", "came in broken, or too large",
       fmt::format("larger than its MTU of {}: `mtu` in [[interface]], or a smaller one at the "
                   "other end; else cable, optics, duplex: sluicectl show interfaces --json "
                   "(xstats)",
                   row.mtu)},
      {&LinkRow::no_buffer, "no buffer", "came in and found no packet buffer",
       "who holds them: BUFFERS in sluicectl show workers; packets wait for neighbours that do not "
       "answer, or for a device that does not send"},
  };
}

std::optional<RowFinding> lost(const LinkRow& row, const Loss& loss) {
  const uint64_t lost = (row.*loss.field).recent;
  const uint64_t came = row.received.recent + lost;
  if (lost < kLostPacketsMin || share_of(lost, came) < kLostWarningPercent) return std::nullopt;
  const bool many = share_of(lost, came) >= kLostCriticalPercent;
  return RowFinding{many ? Severity::kCritical : Severity::kWarning, loss.condition,
                    fmt::format("interface {}: {} frames {} lately ({:.0f} %)", row.name,
                                number_of(lost), loss.what, share_of(lost, came)),
                    loss.remedy};
}

std::optional<RowFinding> deaf(const LinkRow& row) {
  if (row.multicast_lacking.empty()) return std::nullopt;
  return RowFinding{Severity::kWarning, "no multicast",
                    fmt::format("interface {}: its device takes no multicast ({}): {} do not come "
                                "in",
                                row.name, row.multicast, row.multicast_lacking),
                    "protocols whose peers can be named one by one (BGP, unicast VRRP), or "
                    "another card: docs/hardware.md"};
}

}  // namespace

std::vector<RowFinding> interface_findings(const LinkRow& row) {
  if (!row.link_up) return {no_link(row)};
  std::vector<RowFinding> found;
  const auto add = [&](std::optional<RowFinding> one) {
    if (one) found.push_back(std::move(*one));
  };
  add(unsent(row));
  for (const Loss& loss : losses(row)) add(lost(row, loss));
  add(deaf(row));
  std::ranges::stable_sort(found, std::ranges::greater{}, &RowFinding::severity);
  return found;
}

std::optional<RowFinding> steering_finding(std::span<const WorkerRow> workers) {
  uint64_t received = 0, handed_off = 0;
  for (const WorkerRow& row : workers) {
    if (row.steering != "rss" && row.steering != "rte_flow") return std::nullopt;
    received += row.packets_in.recent;
    handed_off += row.handed_off.recent;
  }
  const double share = share_of(handed_off, received);
  if (handed_off < kHandedOffMin || share < kHandedOffWarningPercent) return std::nullopt;
  return RowFinding{
      Severity::kWarning, "handed off",
      fmt::format("{:.0f} % of the packets had to be handed to another worker lately: a device "
                  "does not spread them as it says ({})",
                  share, workers.front().steering),
      "eal.steering = \"handoff\" and a restart, unless they are UDP or fragments, which many "
      "devices spread by addresses alone"};
}

}  // namespace sluice::control
