// SPDX-License-Identifier: BSD-3-Clause
// MLD reports, a burst at a time.
#include "dataplane/stage/mld_reports.h"

#include <algorithm>

#include "dataplane/stage/neighbour_protocol.h"

namespace sluice {

void MldReports::begin(uint16_t interface, uint64_t now_ms) {
  Queue& queue = queues_[interface];
  queue = {};
  queue.joins_left = kJoins;
  queue.round_ms = now_ms;
  wake(now_ms);
}

void MldReports::hear(const Snapshot& snapshot, uint16_t interface, const net::MldQuery& query,
                      uint64_t now_ms) {
  const auto& groups = snapshot.interfaces[interface].groups;
  if (groups.empty()) return;
  Queue& queue = queues_[interface];
  const bool for_all = query.is_general();
  if (!for_all && !std::ranges::binary_search(groups, query.group)) return;
  const uint64_t answer_ms = now_ms + random_ms(query.response_max_ms);
  if (for_all || (queue.group_ms != UINT64_MAX && queue.group != query.group)) {
    // What is to come sooner answers as well (RFC 3810, section 6.2).
    queue.round_ms = std::min(queue.round_ms, std::max(answer_ms, queue.last_ms + kRoundMs));
  } else {
    queue.group = query.group;
    queue.group_ms = std::min(queue.group_ms, answer_ms);
  }
  wake(due_ms(queue));
}

uint64_t MldReports::due_ms(const Queue& queue) const {
  return queue.in_round ? 0 : std::min(queue.round_ms, queue.group_ms);
}

void MldReports::send_burst(const Snapshot& snapshot, uint64_t now_ms) {
  uint32_t budget = kBurst;
  next_ms_ = UINT64_MAX;
  burst_ms_ = now_ms + kBurstMs;
  for (uint16_t i = 0; i < snapshot.interfaces.size(); ++i) {
    budget = send_some(snapshot.interfaces[i], queues_[i], now_ms, budget);
    wake(due_ms(queues_[i]));
  }
}

uint32_t MldReports::send_some(const InterfaceView& interface, Queue& queue, uint64_t now_ms,
                               uint32_t budget) {
  using Type = net::MldRecordType;
  if (queue.group_ms <= now_ms && budget > 0) {
    queue.group_ms = UINT64_MAX;
    const bool still = std::ranges::binary_search(interface.groups, queue.group);
    if (still && send_report(interface, Type::kListening, {&queue.group, 1})) --budget;
  }
  if (!queue.in_round) {
    if (queue.round_ms > now_ms) return budget;
    queue.in_round = true;
    queue.next = 0;
    queue.last_ms = now_ms;
  }
  const Type type = queue.joins_left > 0 ? Type::kJoin : Type::kListening;
  const std::span<const net::Ipv6Address> groups(interface.groups);
  const size_t most = std::min<size_t>(net::mld_report_groups_max(interface.mtu), kGroupsMax);
  for (; queue.next < groups.size() && most > 0; --budget) {
    const size_t count = std::min(most, groups.size() - queue.next);
    if (budget == 0 || !send_report(interface, type, groups.subspan(queue.next, count))) return 0;
    queue.next += static_cast<uint32_t>(count);
  }
  end_round(queue, now_ms);
  return budget;
}

void MldReports::end_round(Queue& queue, uint64_t now_ms) {
  queue.in_round = false;
  if (queue.joins_left > 0) --queue.joins_left;
  queue.round_ms =
      queue.joins_left > 0 ? queue.last_ms + random_ms(kJoinAgainMs) : queue.last_ms + kUnaskedMs;
  queue.round_ms = std::max(queue.round_ms, now_ms);
}

/// False where there is no buffer: later.
bool MldReports::send_report(const InterfaceView& interface, net::MldRecordType type,
                             std::span<const net::Ipv6Address> groups) {
  const uint16_t length = net::mld_report_frame_length(groups.size());
  rte_mbuf* packet = tx_.allocate(length);
  if (packet == nullptr) return false;
  net::write_mld_report({rte_pktmbuf_mtod(packet, uint8_t*), length}, interface.mac,
                        NeighbourProtocol<net::Ipv6Address>::link_local_of(interface), type,
                        groups);
  counters_.count(Event::mld_reports_sent);
  tx_.send(interface.port, packet);
  return true;
}

}  // namespace sluice
