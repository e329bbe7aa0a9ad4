// SPDX-License-Identifier: BSD-3-Clause
// Answers from inside a worker.
#include "dataplane/errand.h"

#include <algorithm>

namespace sluice {

bool ListFlows::step(Core& core) {
  constexpr uint32_t kEntriesPerStep = 256;
  const uint32_t size = core.flows.flow_count_max();
  const uint32_t end = std::min(size, cursor_ + kEntriesPerStep);
  for (; cursor_ < end && rows_.size() < rows_.capacity(); ++cursor_) {
    if (core.flows.is_live(cursor_)) rows_.push_back(core.flows[cursor_]);
  }
  now_ms_ = core.now32();
  flow_count_ = core.flows.flow_count();
  return cursor_ == size || rows_.size() == rows_.capacity() || rows_.size() == flow_count_;
}

bool ExplainTuple::step(Core& core) {
  const PortPool& ports = core.registry.pools[pool_]->ports;
  answer_.in_use = ports.in_use(port_);
  answer_.legacy = ports.legacy(port_);
  answer_.age_ms = core.now32() - answer_.legacy.closed_ms;
  answer_.rules = core.snapshot->reuse;
  if (syn_) {
    answer_.linux_takes = linux_takes(answer_.legacy, *syn_);
    answer_.shift = fit(answer_.legacy, *syn_, core.random);
  }
  return true;
}

}  // namespace sluice
