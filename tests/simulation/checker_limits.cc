// SPDX-License-Identifier: BSD-3-Clause
// The invariant of a limit of clients: what one address has open, as the backends see it.
#include <algorithm>

#include "tests/simulation/checker.h"

namespace sluice::sim {

// To be called when a connection's first SYN is passed on. What is over for both ends, by what was
// seen, is over for the balancer or will be in a moment: it may count more than this, never less.
void Checker::check_limit(const Connection& c) {
  if (scenario_.client_connections == 0 || !resets_idle_) return;
  std::vector<ConnectionId>& open = open_of_[c.client_address().ip];
  std::erase_if(open, [&](ConnectionId id) {
    const Connection* other = connections_.find(id);
    return other == nullptr || other->client_address() == c.client_address() || is_closed(*other);
  });
  open.push_back(c.id);
  figures_.open_max = std::max<uint64_t>(figures_.open_max, open.size());
  if (open.size() > scenario_.client_connections)
    fail("limits", c.id, "its client has %zu connections open, %u are allowed", open.size(),
         scenario_.client_connections);
}

}  // namespace sluice::sim
