// SPDX-License-Identifier: BSD-3-Clause
// How full port pools are; warns in the log when one fills up, before it is exhausted.
//
// Full is what cannot be taken: ports in use, and where TIME_WAIT is waited out (`never`, and
// `natural` for most SYNs) those that rest as well. `rebase` takes a resting port at any time. A
// UDP port rests for seconds, whatever the policy says of TIME_WAIT.
#pragma once

#include <vector>

#include "control/config/config.h"
#include "control/daemon/core/identities.h"
#include "control/daemon/status/resting_ports.h"

namespace sluice::control {

// Whether a port that rests is waited for.
inline bool waits_for_time_wait(net::Protocol protocol, const TimeWaitConfig& time_wait) {
  return protocol == net::Protocol::kTcp && time_wait.reuse != ReusePolicy::kRebase;
}

class PoolWatch {
 public:
  // To be called once a second, before the others. Each level is logged once, until the pool is
  // well below it again.
  void look(const Identities& identities, const TimeWaitConfig& time_wait, uint64_t now_ms);

  // Ports of a pool that a worker cannot take, as of the last look.
  uint64_t unavailable(PoolId pool, size_t worker) const;

  // The level (0, 80 or 95 percent) that `percent` makes of a pool that had `level`.
  static unsigned next_level(unsigned level, double percent);

 private:
  struct Watched {
    PoolKey key{};
    uint64_t looked = 0;  // the number of the last look that found it
    unsigned level = 0;
    std::vector<RestingPorts> resting;  // by worker
    std::vector<uint64_t> unavailable;  // by worker
  };
  double percent_full(Watched& pool, const Identities& identities, const PoolEntry& entry,
                      const TimeWaitConfig& time_wait, uint64_t now_ms) const;

  // What is known of a pool; empty for one that the last look did not find under this id.
  Watched& watched(const PoolKey& key, PoolId id);

  std::vector<Watched> pools_;  // by id
  uint64_t looks_ = 0;
};

}  // namespace sluice::control
