// SPDX-License-Identifier: BSD-3-Clause
// The flow log's ring.
#include "dataplane/port/flow_log_ring.h"

#include <rte_errno.h>

#include <stdexcept>

namespace sluice {

FlowLogRing::FlowLogRing(const std::string& name, int numa_socket)
    : ring_(rte_ring_create_elem(name.c_str(), kSize, kRecordsMax, numa_socket,
                                 RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ)) {
  if (ring_ == nullptr) throw std::runtime_error("ring " + name + ": " + rte_strerror(rte_errno));
}

}  // namespace sluice
