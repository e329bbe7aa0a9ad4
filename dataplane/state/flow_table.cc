// SPDX-License-Identifier: BSD-3-Clause
// Entries and lists of the flow table.
#include "dataplane/state/flow_table.h"

namespace sluice {

FlowTable::FlowTable(uint32_t flow_count_max, net::Random& random,
                     std::pmr::memory_resource* memory, MakeFlowIndex make_index, int numa_socket,
                     const KeptMemory& kept)
    : memory_(memory),
      flows_(flow_count_max, kept.flows == nullptr ? memory : kept.flows),
      clients6_(kept.clients6 == nullptr ? memory : kept.clients6),
      make_index_(make_index),
      numa_socket_(numa_socket),
      random6_({random.next(), random.next()}),
      index_(make_index.v4({{flows_.data()}, flow_count_max, random, memory, numa_socket})) {
  for (uint32_t i = 0; i < flow_count_max; ++i) {
    flows_[i].next_free = i + 1 < flow_count_max ? i + 1 : kNone;
  }
}

void FlowTable::enable_v6() {
  if (index6_ != nullptr) return;
  clients6_.resize(flows_.size());
  index6_ = make_index_.v6(
      {{flows_.data(), clients6_.data()}, flow_count_max(), random6_, memory_, numa_socket_});
}

void FlowTable::set_name(uint32_t index, const FlowName& name) {
  Flow& flow = flows_[index];
  if (name.is_v4()) {
    flow.key = name.v4();
    return;
  }
  flow.key = {{{0}, name.client.port}, name.service};
  clients6_[index] = name.client.ip.v6();
}

uint32_t FlowTable::allocate() {
  const uint32_t index = flow_free_;
  if (index == kNone) return kNone;
  Flow& flow = flows_[index];
  flow_free_ = flow.next_free;
  flow = Flow{};
  ++flow_count_;
  return index;
}

void FlowTable::erase(uint32_t index) {
  retract(index);
  Flow& flow = flows_[index];
  if (!flow.has_v6_client()) [[likely]] {
    index_->erase(flow.key, index);
  } else {
    index6_->erase(key6(flow), index);
  }
  unlink_closed(index);
  flow.key = {};
  flow.next_free = flow_free_;
  flow_free_ = index;
  --flow_count_;
}

void FlowTable::push_closed(uint32_t index) {
  flows_[index].closed_older = closed_newest_;
  flows_[index].closed_newer = kNone;
  (closed_newest_ == kNone ? closed_oldest_ : flows_[closed_newest_].closed_newer) = index;
  closed_newest_ = index;
  flows_[index].closed_listed = true;
}

void FlowTable::unlink_closed(uint32_t index) {
  Flow& flow = flows_[index];
  if (!flow.closed_listed) return;
  (flow.closed_older == kNone ? closed_oldest_ : flows_[flow.closed_older].closed_newer) =
      flow.closed_newer;
  (flow.closed_newer == kNone ? closed_newest_ : flows_[flow.closed_newer].closed_older) =
      flow.closed_older;
}

}  // namespace sluice
