// SPDX-License-Identifier: BSD-3-Clause
// Rings between workers.
#include "dataplane/port/handoff.h"

#include <rte_errno.h>

#include <algorithm>
#include <stdexcept>

namespace sluice {

Rings::Rings(const std::string& name, const std::vector<int>& numa_sockets)
    : worker_count_(static_cast<uint32_t>(numa_sockets.size())) {
  rings_.resize(numa_sockets.size() * numa_sockets.size());
  for (uint32_t from = 0; from < worker_count_; ++from) {
    for (uint32_t to = 0; to < worker_count_; ++to) {
      if (from == to) continue;
      const std::string ring = name + '-' + std::to_string(from) + '-' + std::to_string(to);
      rte_ring* made =
          rte_ring_create(ring.c_str(), kPackets, numa_sockets[to], RING_F_SP_ENQ | RING_F_SC_DEQ);
      if (made == nullptr) throw std::runtime_error(ring + ": " + rte_strerror(rte_errno));
      rings_[from * worker_count_ + to].reset(made);
    }
  }
}

Rings::~Rings() {
  void* packet;
  for (const auto& ring : rings_) {
    while (ring != nullptr && rte_ring_sc_dequeue(ring.get(), &packet) == 0) {
      rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
    }
  }
}

Handoff::Handoff(const Rings* rings, uint32_t self, WorkerCounters& counters)
    : rings_(rings),
      self_(self),
      counters_(counters),
      buffers_(rings == nullptr ? 1 : rings->worker_count()) {}

void Handoff::give(uint32_t worker, uint16_t port, rte_mbuf* packet) {
  packet->port = port;  // not every driver says so
  PacketBuffer& buffer = buffers_[worker];
  buffer.packets[buffer.count++] = packet;
  if (buffer.count == kBurstMax) flush(worker);
}

void Handoff::flush() {
  for (uint32_t worker = 0; worker < buffers_.size(); ++worker) {
    if (buffers_[worker].count > 0) flush(worker);
  }
}

void Handoff::flush(uint32_t worker) {
  PacketBuffer& buffer = buffers_[worker];
  auto** packets = reinterpret_cast<void**>(buffer.packets.data());
  const unsigned taken =
      rte_ring_sp_enqueue_burst(rings_->between(self_, worker), packets, buffer.count, nullptr);
  counters_.count(Event::handed_off, taken);
  for (unsigned i = taken; i < buffer.count; ++i) {
    counters_.count(net::DropReason::handoff_full);
    rte_pktmbuf_free(buffer.packets[i]);
  }
  buffer.count = 0;
}

uint16_t Handoff::take(rte_mbuf** packets, uint16_t count_max) {
  if (buffers_.size() == 1) return 0;
  turn_ = turn_ + 1 == buffers_.size() ? 0 : turn_ + 1;
  if (turn_ == self_) return 0;
  const unsigned taken = rte_ring_sc_dequeue_burst(
      rings_->between(turn_, self_), reinterpret_cast<void**>(packets), count_max, nullptr);
  counters_.count(Event::taken_over, taken);
  return static_cast<uint16_t>(taken);
}

}  // namespace sluice
