// SPDX-License-Identifier: BSD-3-Clause
// Walks the ring back.
#include "dataplane/worker/list_why.h"

namespace sluice {

bool WhyFilter::wants(const WhyRecord& record) const {
  return record.wall_clock_ms >= since_ms && client.contains(address_key(record.client.ip)) &&
         (client_port.raw == 0 || client_port == record.client.port) &&
         (!vip || *vip == record.vip) && (!protocol || *protocol == record.protocol);
}

bool ListWhy::step(Core& core) {
  constexpr uint32_t kRecordsPerStep = 256;
  const WhyRing& ring = core.why;
  if (!next_) {
    next_ = ring.written();
    if (ring.kept() > 0) oldest_ms_ = ring[ring.oldest()].wall_clock_ms;
  }
  // Records that are written meanwhile take the oldest ones' places.
  for (uint32_t i = 0; i<kRecordsPerStep&& * next_> ring.oldest(); ++i) {
    const WhyRecord& record = ring[--*next_];
    if (!filter_.wants(record)) continue;
    if (rows_.size() == rows_max_) {
      more_ = true;
      return true;
    }
    rows_.push_back(record);
  }
  return *next_ <= ring.oldest();
}

}  // namespace sluice
